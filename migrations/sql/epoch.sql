-- The policy epoch: one number, raised in every transaction that changes users, roles, grants or labels. Putting a
-- document under an existing scope raises nothing.

insert into policy_epoch default values;

create function clearance.raise_epoch() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update public.policy_epoch set number = number + 1;
  perform pg_notify('clearance_policy', '');
  return null;
end $$;
revoke execute on function clearance.raise_epoch() from public;

create trigger epoch after insert or update or delete on app_user for each statement execute function clearance.raise_epoch();
create trigger epoch after insert or update or delete on role for each statement execute function clearance.raise_epoch();
create trigger epoch after insert or update or delete on role_inside for each statement execute function clearance.raise_epoch();
create trigger epoch after insert or update or delete on membership for each statement execute function clearance.raise_epoch();
create trigger epoch after insert or update of own_rule or delete on collection
  for each statement execute function clearance.raise_epoch();
create trigger epoch after insert or update of rule_id or delete on scope
  for each statement execute function clearance.raise_epoch();
