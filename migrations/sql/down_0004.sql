-- Undoes service_accounts.sql. Delegations and services go: without their kind, a service's key would read like a person's.

do $$
begin
  if exists (select 1 from app_user where source <> 'local') or exists (select 1 from role where source <> 'local') then
    raise exception 'users or roles of other sources are there; without their source they would merge with local names'
      using hint = 'rename or remove them first';
  end if;
end $$;

grant create on schema clearance to clearance_identity;
set local role clearance_identity;
create or replace function clearance.caller() returns uuid
language sql stable parallel safe security definer set search_path = '' as $$
  with given as (
    select current_setting('clearance.identity', true) as identity
  ), parsed as materialized (
    select split_part(identity, '|', 1) as user_id, split_part(identity, '|', 2) as expiry,
           split_part(identity, '|', 3) as mac
    from given
    where identity ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\|[0-9]{1,12}\|[0-9a-f]{64}$'
  )
  select u.id
  from parsed p
  cross join clearance.identity_key k
  join public.app_user u on u.id = p.user_id::uuid
  where p.mac = encode(sha256(k.outer_pad || sha256(k.inner_pad || convert_to(p.user_id || '|' || p.expiry, 'UTF8'))), 'hex')
    and p.expiry::bigint > extract(epoch from clock_timestamp())
    and u.active
$$;
reset role;
revoke create on schema clearance from clearance_identity;

drop table delegation;
drop trigger persons_alone on membership;
drop trigger persons_alone on curator;
drop trigger persons_alone on steward;
drop trigger same_identity on app_user;
drop trigger same_identity on role;
drop function clearance.refuse_service();
drop function clearance.refuse_other_identity();
delete from app_user where kind = 'service';
alter table app_user drop constraint app_user_service_capabilities_check;
alter table app_user drop constraint app_user_kind_check;
alter table app_user drop constraint app_user_source_check;
alter table role drop constraint role_source_check;
alter table app_user drop constraint app_user_source_name_key;
alter table app_user add constraint app_user_name_key unique (name);
alter table role drop constraint role_source_name_key;
alter table role add constraint role_name_key unique (name);
alter table app_user drop column source;
alter table app_user drop column kind;
alter table role drop column source;
