-- An identity holds in the one transaction that it was signed for. Run by clearance_owner after 0008.
--
-- The MAC covers the backend and the moment at which the transaction began, which the API asks for in the round trip that
-- begins the transaction. Whoever reads an identity out of a session finds it worthless in any other transaction.
-- `now()` and the backend's number are read in the leader process alone: hence PARALLEL RESTRICTED, here and for all that
-- calls these functions.

grant create on schema clearance to clearance_identity;
set local role clearance_identity;

-- Whose identity this transaction carries, or null: verified, and still in time. Says nothing about whether that person is
-- still there or active: what they did leaves a record all the same.
create function clearance.signed_caller() returns uuid
language sql stable parallel restricted security definer set search_path = '' as $$
  with given as (
    select current_setting('clearance.identity', true) as identity
  ), parsed as materialized (
    select split_part(identity, '|', 1) as user_id, split_part(identity, '|', 2) as expiry,
           split_part(identity, '|', 3) as mac
    from given
    where identity ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\|[0-9]{1,12}\|[0-9a-f]{64}$'
  )
  select p.user_id::uuid
  from parsed p
  cross join clearance.identity_key k
  where p.mac = encode(sha256(k.outer_pad || sha256(k.inner_pad || convert_to(
          concat_ws('|', p.user_id, p.expiry, pg_backend_pid(), extract(epoch from now())), 'UTF8'))), 'hex')
    and p.expiry::bigint > extract(epoch from clock_timestamp())
$$;

-- The verified user, if they may act at all: active, and a person.
create or replace function clearance.caller() returns uuid
language sql stable parallel restricted security definer set search_path = '' as $$
  select u.id from public.app_user u
  where u.id = (select clearance.signed_caller()) and u.active and u.kind = 'person'
$$;

alter function clearance.scopes_mac(text) parallel restricted;
alter function clearance.resolve_scopes() parallel restricted;
alter function clearance.visible_scopes() parallel restricted;
alter function clearance.caller_may(text) parallel restricted;
alter function clearance.curated() parallel restricted;
revoke execute on function clearance.signed_caller() from public;
grant execute on function clearance.signed_caller() to clearance_app, clearance_owner;
reset role;
revoke create on schema clearance from clearance_identity;
alter function clearance.stewarded() parallel restricted;
alter function clearance.may_rule(uuid) parallel restricted;

-- What is revoked stays revoked.
create function clearance.keep_revoked() returns trigger
language plpgsql set search_path = '' as $$
begin
  raise exception 'what is revoked stays revoked: % of %', old.prefix, tg_table_name
    using errcode = 'integrity_constraint_violation';
end $$;
create trigger stays_revoked before update on api_key for each row
  when (old.revoked_at is not null and new.revoked_at is distinct from old.revoked_at)
  execute function clearance.keep_revoked();
create trigger stays_revoked before update on delegation for each row
  when (old.revoked_at is not null and new.revoked_at is distinct from old.revoked_at)
  execute function clearance.keep_revoked();
alter table api_key enable always trigger stays_revoked;
alter table delegation enable always trigger stays_revoked;

-- Who holds a key may end it sooner; anything else is for administrators: a later end, and the label that they know it by.
create function clearance.keep_key() returns trigger
language plpgsql set search_path = '' as $$
begin
  if not clearance.caller_may('administer') then
    raise insufficient_privilege using message = 'an administrator alone lets a key last longer or relabels it';
  end if;
  return new;
end $$;
create trigger ends_no_later before update on api_key for each row
  when (coalesce(new.expires_at, 'infinity') > coalesce(old.expires_at, 'infinity') or new.label is distinct from old.label)
  execute function clearance.keep_key();
alter table api_key enable always trigger ends_no_later;
grant update (expires_at, label) on api_key to clearance_app;
revoke execute on function clearance.keep_revoked(), clearance.keep_key() from public;
