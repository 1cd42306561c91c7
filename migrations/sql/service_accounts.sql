-- Sources of users and roles, and services that act for a person by a token which that person gave. After 0003.

-- Names are unique within their source alone: two sources may both know an 'engineering', and these never merge.
alter table app_user add column kind text default 'person' not null;
alter table app_user add column source text default 'local' not null;
alter table role add column source text default 'local' not null;
alter table app_user drop constraint app_user_name_key;
alter table app_user add constraint app_user_source_name_key unique (source, name);
alter table role drop constraint role_name_key;
alter table role add constraint role_source_name_key unique (source, name);
alter table app_user add constraint app_user_source_check check (source ~ '^[a-z0-9][a-z0-9._-]{0,62}$');
alter table role add constraint role_source_check check (source ~ '^[a-z0-9][a-z0-9._-]{0,62}$');
alter table app_user add constraint app_user_kind_check check (kind in ('person', 'service'));
-- The most that a service may ever do, and that only on behalf of a person.
alter table app_user add constraint app_user_service_capabilities_check
  check (kind = 'person' or capabilities <@ '{ask,download}');

-- Who somebody is never changes: a name is a label, but id, source and kind are what rules, keys and the log point to.
create function clearance.refuse_other_identity() returns trigger
language plpgsql set search_path = '' as $$
begin
  raise exception 'id, source and kind of a % never change', tg_table_name using errcode = 'integrity_constraint_violation';
end $$;
revoke execute on function clearance.refuse_other_identity() from public;
create trigger same_identity before update on app_user for each row
  when (old.id <> new.id or old.source <> new.source or old.kind <> new.kind)
  execute function clearance.refuse_other_identity();
create trigger same_identity before update on role for each row
  when (old.id <> new.id or old.source <> new.source)
  execute function clearance.refuse_other_identity();
alter table app_user enable always trigger same_identity;
alter table role enable always trigger same_identity;

-- A service reads and rules nothing by itself: it is in no role, curates no shelf, keeps no role.
create function clearance.refuse_service() returns trigger
language plpgsql set search_path = '' as $$
begin
  if exists (select 1 from public.app_user u where u.id = new.user_id and u.kind <> 'person') then
    raise exception 'a service has no place in %', tg_table_name using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$;
revoke execute on function clearance.refuse_service() from public;
create trigger persons_alone before insert or update on membership for each row execute function clearance.refuse_service();
create trigger persons_alone before insert or update on curator for each row execute function clearance.refuse_service();
create trigger persons_alone before insert or update on steward for each row execute function clearance.refuse_service();
alter table membership enable always trigger persons_alone;
alter table curator enable always trigger persons_alone;
alter table steward enable always trigger persons_alone;

-- What a person lets one service do for them, for a while. It ends with the key that it was made with.
create table delegation (
  id uuid default gen_random_uuid() not null,
  prefix text not null,
  hash bytea not null,
  service_id uuid not null,
  person_id uuid not null,
  key_id uuid not null,
  capabilities text[] not null,
  created_at timestamptz default now() not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  constraint delegation_pkey primary key (id),
  constraint delegation_prefix_key unique (prefix),
  constraint delegation_hash_key unique (hash),
  constraint delegation_service_id_fkey foreign key (service_id) references app_user (id) on delete cascade,
  constraint delegation_person_id_fkey foreign key (person_id) references app_user (id) on delete cascade,
  constraint delegation_key_id_fkey foreign key (key_id) references api_key (id) on delete cascade,
  constraint delegation_capabilities_check check (capabilities <@ '{ask,download}' and cardinality(capabilities) > 0)
);
create index delegation_person_id_idx on delegation (person_id);
create index delegation_service_id_idx on delegation (service_id);
create index delegation_key_id_idx on delegation (key_id);

alter table delegation enable row level security;
alter table delegation force row level security;
create policy owner_all on delegation to clearance_owner using (true) with check (true);
-- Looked up before anyone is known, as keys are.
create policy services_read on delegation for select to clearance_app using (true);
-- Made by the person alone, with a key of theirs, for a service: nobody, not even an administrator, can make one for
-- somebody else.
create policy persons_add on delegation for insert to clearance_app
  with check (person_id = (select clearance.caller())
      and exists (select 1 from app_user s where s.id = service_id and s.kind = 'service')
      and exists (select 1 from api_key k where k.id = key_id and k.user_id = person_id));
create policy persons_revoke on delegation for update to clearance_app
  using (person_id = (select clearance.caller()) or (select clearance.caller_may('administer')));
grant select, insert, update (revoked_at) on delegation to clearance_app;

-- As before, and: a service is nobody. Were its id ever signed, it would see nothing.
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
    and u.kind = 'person'
$$;
reset role;
revoke create on schema clearance from clearance_identity;
