-- Who somebody is: people, services, roles and keys, and the identity that a transaction carries.
--
-- A transaction sets clearance.identity to 'user|expiry|mac' (ADR 0007). The functions below verify it. They belong to
-- clearance_identity, which alone reads the key.

create schema clearance;
grant usage on schema clearance to clearance_identity, clearance_app, clearance_ingest, clearance_sequencer,
  clearance_delivery;
revoke all on schema public from public;
grant usage on schema public to clearance_identity, clearance_app, clearance_ingest, clearance_sequencer,
  clearance_backup, clearance_delivery,
  clearance_search;

-- Names are unique within their source only: two sources may both know an 'engineering', and these never merge.
create table app_user (
  id uuid default gen_random_uuid() not null,
  name text not null,
  display_name text not null,
  clearance smallint default 1 not null,
  capabilities text[] default '{}' not null,
  active boolean default true not null,
  created_at timestamptz default now() not null,
  kind text default 'person' not null,
  source text default 'local' not null,
  -- What the source calls this person, whatever their name is today.
  external_id text,
  -- A service that keeps the people and roles of this one source, and nothing else (ADR 0033).
  provisions text,
  -- Switched off by an administrator: the source cannot switch this person on again.
  held boolean default false not null,
  -- Gone from its source: switched off for good, and named so that another may have the name.
  deleted_at timestamptz,
  -- What the source called somebody who is gone: its provider vouches for them in vain.
  former_external_id text,
  -- What they were called before, so that it is found where it has to be erased.
  former_display_names text[] default '{}' not null,
  -- A provider's tokens from before this moment are dead.
  tokens_after timestamptz,
  constraint app_user_pkey primary key (id),
  constraint app_user_source_name_key unique (source, name),
  constraint app_user_source_external_id_key unique (source, external_id),
  constraint app_user_source_check check (source ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
  constraint app_user_kind_check check (kind in ('person', 'service')),
  constraint app_user_deleted_check check (deleted_at is null or not active),
  constraint app_user_provisions_check
    check (provisions is null or kind = 'service' and provisions <> 'local' and provisions ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
  -- A service may never do more than this: ask on behalf of a person, or keep the people of one source.
  constraint app_user_service_capabilities_check check (
    case when kind = 'person' then not 'provision' = any (capabilities)
         when provisions is null then capabilities <@ '{ask,download}'
         else capabilities <@ '{provision}' end)
);

create table role (
  id uuid default gen_random_uuid() not null,
  name text not null,
  created_at timestamptz default now() not null,
  source text default 'local' not null,
  -- What the source calls this group: the value in a token's claim, or a directory's own id.
  external_id text,
  constraint role_pkey primary key (id),
  constraint role_source_name_key unique (source, name),
  constraint role_source_external_id_key unique (source, external_id),
  constraint role_source_check check (source ~ '^[a-z0-9][a-z0-9._-]{0,62}$')
);

create table api_key (
  id uuid default gen_random_uuid() not null,
  prefix text not null,
  hash bytea not null,
  user_id uuid not null,
  label text default '' not null,
  capabilities text[] not null,
  created_at timestamptz default now() not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  constraint api_key_pkey primary key (id),
  constraint api_key_prefix_key unique (prefix),
  constraint api_key_hash_key unique (hash),
  constraint api_key_user_id_fkey foreign key (user_id) references app_user (id) on delete cascade
);
create index api_key_user_id_idx on api_key (user_id);

-- `ends_at`: a role that a claim or a directory gave ends by itself unless the source confirms it.
create table membership (
  user_id uuid not null,
  role_id uuid not null,
  ends_at timestamptz,
  constraint membership_pkey primary key (user_id, role_id),
  constraint membership_user_id_fkey foreign key (user_id) references app_user (id) on delete cascade,
  constraint membership_role_id_fkey foreign key (role_id) references role (id) on delete cascade
);
create index membership_role_id_idx on membership (role_id);

-- Members of role_id are members of inside_id too.
create table role_inside (
  role_id uuid not null,
  inside_id uuid not null,
  constraint role_inside_pkey primary key (role_id, inside_id),
  constraint role_inside_role_id_fkey foreign key (role_id) references role (id) on delete cascade,
  constraint role_inside_inside_id_fkey foreign key (inside_id) references role (id) on delete cascade
);
create index role_inside_inside_id_idx on role_inside (inside_id);

-- What a person lets one service do for them, for a while. It ends with the key that it was made with, if it was one.
create table delegation (
  id uuid default gen_random_uuid() not null,
  prefix text not null,
  hash bytea not null,
  service_id uuid not null,
  person_id uuid not null,
  key_id uuid,
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

-- The key of the HMAC, as its two padded forms: core sha256() is then all that is needed, no extension.
create table clearance.identity_key (
  single boolean primary key default true check (single),
  inner_pad bytea not null check (octet_length(inner_pad) = 64),
  outer_pad bytea not null check (octet_length(outer_pad) = 64)
);

-- Functions of clearance_identity.
grant select on app_user, role, role_inside, membership to clearance_identity;
grant create on schema clearance to clearance_identity;
alter table clearance.identity_key owner to clearance_identity;
set local role clearance_identity;

create function clearance.set_identity_key(key bytea) returns void
language plpgsql security definer set search_path = '' as $$
declare
  i int;
  k bytea := key || decode(repeat('00', 64 - octet_length(key)), 'hex');
  inner_k bytea := k;
  outer_k bytea := k;
begin
  if octet_length(key) <> 32 then raise exception 'the identity key must have 32 bytes'; end if;
  for i in 0..63 loop
    inner_k := set_byte(inner_k, i, get_byte(k, i) # 54);
    outer_k := set_byte(outer_k, i, get_byte(k, i) # 92);
  end loop;
  insert into clearance.identity_key (inner_pad, outer_pad) values (inner_k, outer_k)
  on conflict (single) do update set inner_pad = excluded.inner_pad, outer_pad = excluded.outer_pad;
end $$;

-- The user whose identity this transaction carries, or null if it is absent, empty, malformed, expired or forged. Never
-- an error, so that a bad identity cannot be told from an empty database. Says nothing about whether that user still
-- exists or is active: what they did leaves a record all the same.
--
-- The MAC covers the backend and the moment at which the transaction began, which the API asks for in the round trip
-- that begins it: an identity that is read out of a session is worthless in any other transaction. Parallel workers
-- know neither, hence PARALLEL RESTRICTED, here and for every function that calls this one.
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

-- The verified user if they may act at all: active, and a person. A service is nobody: were its id ever signed, it
-- would see nothing.
create function clearance.caller() returns uuid
language sql stable parallel restricted security definer set search_path = '' as $$
  select u.id from public.app_user u
  where u.id = (select clearance.signed_caller()) and u.active and u.kind = 'person'
$$;

create function clearance.caller_may(capability text) returns boolean
language sql stable parallel restricted security definer set search_path = '' as $$
  select exists (
    select 1 from public.app_user u where u.id = clearance.caller() and caller_may.capability = any (u.capabilities)
  )
$$;

-- The source whose people and roles the signed caller keeps, if it is a service for that; else null.
create function clearance.provisioned() returns text
language sql stable parallel restricted security definer set search_path = '' as $$
  select u.provisions from public.app_user u
  where u.id = (select clearance.signed_caller()) and u.active and u.kind = 'service'
    and 'provision' = any (u.capabilities)
$$;

revoke execute on all functions in schema clearance from public;
grant execute on function clearance.set_identity_key(bytea) to clearance_owner;
grant execute on function clearance.signed_caller(), clearance.caller(), clearance.caller_may(text),
  clearance.provisioned() to clearance_app, clearance_owner;
reset role;
revoke create on schema clearance from clearance_identity;

-- A name is a label and may change; id, source and kind are what rules, keys and the log point to.
create function clearance.refuse_other_identity() returns trigger
language plpgsql set search_path = '' as $$
begin
  raise exception 'id, source and kind of a % never change', tg_table_name
    using errcode = 'integrity_constraint_violation';
end $$;
create trigger same_identity before update on app_user for each row
  when (old.id <> new.id or old.source <> new.source or old.kind <> new.kind)
  execute function clearance.refuse_other_identity();
create trigger same_identity before update on role for each row
  when (old.id <> new.id or old.source <> new.source)
  execute function clearance.refuse_other_identity();
alter table app_user enable always trigger same_identity;
alter table role enable always trigger same_identity;

-- A service reads nothing by itself and has no say: it is in no role, curates no collection, looks after no role.
create function clearance.refuse_service() returns trigger
language plpgsql set search_path = '' as $$
begin
  if exists (select 1 from public.app_user u where u.id = new.user_id and u.kind <> 'person') then
    raise exception 'a service has no place in %', tg_table_name using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$;
create trigger persons_alone before insert or update on membership
  for each row execute function clearance.refuse_service();
alter table membership enable always trigger persons_alone;

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

-- The holder of a key may end it sooner. Only an administrator lets it last longer, or changes the label that
-- administrators know it by.
create function clearance.keep_key() returns trigger
language plpgsql set search_path = '' as $$
begin
  if not clearance.caller_may('administer') then
    raise insufficient_privilege using message = 'an administrator alone lets a key last longer or relabels it';
  end if;
  return new;
end $$;
create trigger ends_no_later before update on api_key for each row
  when (coalesce(new.expires_at, 'infinity') > coalesce(old.expires_at, 'infinity')
    or new.label is distinct from old.label)
  execute function clearance.keep_key();
alter table api_key enable always trigger ends_no_later;

-- Who is who holds no document text: every service reads it, administrators change it.
do $$
declare t text;
begin
  foreach t in array array['app_user', 'role', 'role_inside', 'membership'] loop
    execute format('create policy services_read on %I for select '
                   'to clearance_app, clearance_ingest, clearance_identity using (true)', t);
    execute format('create policy administrators_add on %I for insert to clearance_app '
                   'with check ((select clearance.caller_may(''administer'')))', t);
    execute format('create policy administrators_change on %I for update to clearance_app '
                   'using ((select clearance.caller_may(''administer'')))', t);
    execute format('create policy administrators_drop on %I for delete to clearance_app '
                   'using ((select clearance.caller_may(''administer'')))', t);
  end loop;
end $$;
grant select, insert, update, delete on app_user, role, role_inside, membership to clearance_app;
grant select on app_user, role, role_inside, membership to clearance_ingest;

-- A provisioning service keeps the people and roles of its own source, and who is in which of these. A person whom it
-- makes may ask and is cleared for 'internal'; more is an administrator's to give.
create policy provisioners_add on app_user for insert to clearance_app
  with check (source = (select clearance.provisioned()) and kind = 'person' and clearance <= 1
      and capabilities <@ '{ask}' and not held);
create policy provisioners_change on app_user for update to clearance_app
  using (source = (select clearance.provisioned()) and kind = 'person');
create policy provisioners_add on role for insert to clearance_app
  with check (source = (select clearance.provisioned()));
create policy provisioners_change on role for update to clearance_app
  using (source = (select clearance.provisioned()));
create policy provisioners_drop on role for delete to clearance_app
  using (source = (select clearance.provisioned()));
do $$
declare
  verb text;
  own constant text := 'exists (select from app_user u where u.id = user_id and u.source = (select clearance.provisioned()))'
    ' and exists (select from role r where r.id = role_id and r.source = (select clearance.provisioned()))';
  nested constant text := 'exists (select from role r where r.id = role_id and r.source = (select clearance.provisioned()))'
    ' and exists (select from role r where r.id = inside_id and r.source = (select clearance.provisioned()))';
begin
  execute format('create policy provisioners_add on membership for insert to clearance_app with check (%s)', own);
  execute format('create policy provisioners_change on membership for update to clearance_app using (%s)', own);
  execute format('create policy provisioners_drop on membership for delete to clearance_app using (%s)', own);
  execute format('create policy provisioners_add on role_inside for insert to clearance_app with check (%s)', nested);
  execute format('create policy provisioners_drop on role_inside for delete to clearance_app using (%s)', nested);
end $$;

-- What a source may not change of its own people: what they are cleared for, what they may do, and an administrator's
-- word that they are switched off.
create function clearance.keep_standing() returns trigger
language plpgsql set search_path = '' as $$
begin
  if clearance.provisioned() is not null
      and ((new.clearance, new.capabilities, new.held) is distinct from (old.clearance, old.capabilities, old.held)
        or old.held and new.active or old.deleted_at is not null) then
    raise insufficient_privilege using message = 'a source changes neither what its people may do nor who was held';
  end if;
  return new;
end $$;
create trigger keeps_standing before update on app_user for each row execute function clearance.keep_standing();
alter table app_user enable always trigger keeps_standing;

-- Keys are made by administrators, and by people for themselves, for no more than they may do; they are revoked by
-- administrators or by their holder.
create policy services_read on api_key for select to clearance_app, clearance_ingest, clearance_identity using (true);
create policy administrators_add on api_key for insert to clearance_app
  with check ((select clearance.caller_may('administer')));
create policy persons_add on api_key for insert to clearance_app
  with check (user_id = (select clearance.caller()) and expires_at is not null
      and exists (select 1 from app_user u where u.id = user_id and api_key.capabilities <@ u.capabilities));
create policy owners_revoke on api_key for update to clearance_app
  using ((select clearance.caller_may('administer')) or user_id = (select clearance.caller()));
grant select, insert, update (expires_at, label, revoked_at) on api_key to clearance_app;

-- Delegations are looked up before anyone is known, as keys are. They are made by the person, with a key of theirs, for
-- a service: nobody makes one for somebody else, not even an administrator.
create policy services_read on delegation for select to clearance_app using (true);
create policy persons_add on delegation for insert to clearance_app
  with check (person_id = (select clearance.caller())
      and exists (select 1 from app_user s where s.id = service_id and s.kind = 'service')
      and (key_id is null or exists (select 1 from api_key k where k.id = key_id and k.user_id = person_id)));
create policy persons_revoke on delegation for update to clearance_app
  using (person_id = (select clearance.caller()) or (select clearance.caller_may('administer')));
grant select, insert, update (revoked_at) on delegation to clearance_app;
