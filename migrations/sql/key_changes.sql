-- The end and the label of a key can be changed: by administrators, and by its own user to an earlier end alone. After
-- 0008. The policy `owners_revoke` says whose rows; this says which values, so that no statement of ours can say more.
grant update (expires_at, label) on api_key to clearance_app;

create or replace function clearance.refuse_longer_key() returns trigger
language plpgsql set search_path = '' as $$
begin
  if current_user = 'clearance_app' and not clearance.caller_may('administer') and (
    new.label is distinct from old.label
    or new.expires_at is null
    or (old.expires_at is not null and new.expires_at > old.expires_at)
  ) then
    raise exception 'only an administrator lets a key work longer' using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
revoke execute on function clearance.refuse_longer_key() from public;
create or replace trigger never_longer before update of expires_at, label on api_key for each row
  when (old.expires_at is distinct from new.expires_at or old.label is distinct from new.label)
  execute function clearance.refuse_longer_key();
alter table api_key enable always trigger never_longer;
