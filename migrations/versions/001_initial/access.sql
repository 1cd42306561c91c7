-- Who may read what, and who may change that: collections, folders, rules and scopes; curators, stewards and plans.

create table collection (
  id uuid default gen_random_uuid() not null,
  name text not null,
  description text default '' not null,
  own_rule jsonb not null,
  created_at timestamptz default now() not null,
  constraint collection_pkey primary key (id),
  constraint collection_name_key unique (name)
);

create table curator (
  user_id uuid not null,
  collection_id uuid not null,
  constraint curator_pkey primary key (user_id, collection_id),
  constraint curator_user_id_fkey foreign key (user_id) references app_user (id) on delete cascade,
  constraint curator_collection_id_fkey foreign key (collection_id) references collection (id) on delete cascade
);
create index curator_collection_id_idx on curator (collection_id);

-- Who may put people into a role and take them out, without being an administrator.
create table steward (
  user_id uuid not null,
  role_id uuid not null,
  constraint steward_pkey primary key (user_id, role_id),
  constraint steward_user_id_fkey foreign key (user_id) references app_user (id) on delete cascade,
  constraint steward_role_id_fkey foreign key (role_id) references role (id) on delete cascade
);
create index steward_role_id_idx on steward (role_id);

-- Paths have one normal form, that of app/paths.py, as far as PostgreSQL can see it: NFC, no blank but the plain one
-- and none at either end of a name, no empty name, no `.` or `..`, no backslash, nothing invisible. Whatever
-- app/paths.py accepts passes here.
create function clearance.is_normal_path(path text) returns boolean
language sql immutable strict parallel safe set search_path = '' as $$
  select path is nfc normalized
    and path ~ '^[^/]+(/[^/]+)*$' and path !~ '(^|/)( |\.{1,2}(/|$))' and path !~ ' (/|$)'
    and path !~ '[\x01-\x1f\x7f-\xa0\\\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f]'
    and path !~ '[\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ue000-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb]'
    and path !~ '[\U000e0000-\U0010ffff]'
    and char_length(path) <= 1000 and octet_length(path) <= 2400
$$;
grant execute on function clearance.is_normal_path(text) to clearance_app, clearance_ingest;

-- Only folders with an own rule have a row: the documents below it inherit it, and it inherits from, or breaks with,
-- the folders above it and the collection.
create table folder (
  id uuid default gen_random_uuid() not null,
  collection_id uuid not null,
  path text collate "C" not null,
  own_rule jsonb not null,
  created_at timestamptz default now() not null,
  constraint folder_pkey primary key (id),
  constraint folder_collection_id_path_key unique (collection_id, path),
  constraint folder_id_collection_id_key unique (id, collection_id),
  constraint folder_path_check check (clearance.is_normal_path(path)),
  constraint folder_collection_id_fkey foreign key (collection_id) references collection (id) on delete cascade
);

-- Rules are interned, immutable, and composed of parts by reference (ADR 0025): re-granting what lies above ten
-- thousand own rules of a hundred grants each writes one row a rule, not a million grants. The grants of a rule are
-- those in rule_grant under own_id and under above_id; without own_id, under its own number. A part is a row to which
-- no scope points. Only a part has grant_digests: the digests of its grants behind one another, ascending.
create table rule (
  id integer generated always as identity,
  digest bytea not null,
  label smallint not null,
  own_id integer,
  above_id integer,
  -- Hashes are not worth compressing, and stay out of the way of those who look rules up.
  grant_digests bytea storage external,
  constraint rule_pkey primary key (id),
  constraint rule_digest_key unique (digest),
  constraint rule_own_id_fkey foreign key (own_id) references rule (id),
  constraint rule_above_id_fkey foreign key (above_id) references rule (id)
);
create index rule_own_idx on rule (coalesce(own_id, id));
create index rule_own_id_idx on rule (own_id) where own_id is not null;
create index rule_above_id_idx on rule (above_id) where above_id is not null;

create table rule_grant (
  rule_id integer not null,
  ordinal smallint not null,
  effect text not null,
  principal_kind text not null,
  principal_id uuid not null,
  starts_at timestamptz,
  ends_at timestamptz,
  -- Marks the grants of a part that others inherit, so that the rules it belongs to are found by one look.
  inherited boolean default false not null,
  constraint rule_grant_pkey primary key (rule_id, ordinal),
  constraint rule_grant_effect_check check (effect in ('allow', 'deny')),
  constraint rule_grant_principal_kind_check check (principal_kind in ('everyone', 'role', 'user')),
  constraint rule_grant_rule_id_fkey foreign key (rule_id) references rule (id) on delete cascade
);
create index rule_grant_principal_idx on rule_grant (principal_kind, principal_id);

-- A set of documents under one rule: those of one collection or folder that have the same own rule. Without folder_id
-- they stand directly in the collection.
create table scope (
  id integer generated always as identity,
  public_id uuid default gen_random_uuid() not null,
  collection_id uuid not null,
  own_digest bytea not null,
  own_rule jsonb not null,
  rule_id integer not null,
  folder_id uuid,
  own_part_id integer,
  own_inherits boolean generated always as ((own_rule ->> 'inherits')::boolean) stored,
  own_label text generated always as (own_rule ->> 'label') stored,
  constraint scope_pkey primary key (id),
  constraint scope_collection_id_folder_id_own_digest_key
    unique nulls not distinct (collection_id, folder_id, own_digest),
  constraint scope_id_collection_id_key unique (id, collection_id),
  constraint scope_public_id_key unique (public_id),
  constraint scope_collection_id_fkey foreign key (collection_id) references collection (id) on delete cascade,
  constraint scope_rule_id_fkey foreign key (rule_id) references rule (id),
  constraint scope_folder_id_fkey foreign key (folder_id, collection_id) references folder (id, collection_id)
    on delete cascade,
  constraint scope_own_part_id_fkey foreign key (own_part_id) references rule (id)
);
create index scope_rule_id_idx on scope (rule_id);
create index scope_own_part_id_idx on scope (own_part_id) where own_part_id is not null;

-- A change before it is made: what it is, what it would do, and whether a second administrator has to agree.
create table access_plan (
  id uuid default gen_random_uuid() not null,
  author_id uuid not null,
  made_at timestamptz default now() not null,
  steps jsonb not null,
  effects jsonb not null,
  digest bytea not null,
  needs_second boolean not null,
  state text default 'open' not null,
  ended_by uuid,
  ended_at timestamptz,
  constraint access_plan_pkey primary key (id),
  constraint access_plan_author_id_fkey foreign key (author_id) references app_user (id) on delete cascade,
  constraint access_plan_state_check check (state in ('open', 'applied', 'withdrawn'))
);
create index access_plan_author_id_idx on access_plan (author_id);

create trigger persons_alone before insert or update on curator
  for each row execute function clearance.refuse_service();
create trigger persons_alone before insert or update on steward
  for each row execute function clearance.refuse_service();
alter table curator enable always trigger persons_alone;
alter table steward enable always trigger persons_alone;

-- The policy epoch: one number, raised in every transaction that changes users, roles, grants or labels. Putting a
-- document under an existing scope does not raise it.
create table policy_epoch (
  single boolean default true not null,
  number bigint default 0 not null,
  constraint policy_epoch_pkey primary key (single),
  constraint policy_epoch_one_row_check check (single)
);
insert into policy_epoch default values;
grant select on policy_epoch to clearance_app, clearance_ingest;

-- A transaction that raises the epoch has changed access, and says so to the judgement at its end (changes.sql).
create function clearance.raise_epoch() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update public.policy_epoch set number = number + 1;
  perform set_config('clearance.changed', 'yes', true);
  perform pg_notify('clearance_policy', '');
  return null;
end $$;
create trigger epoch after insert or update or delete on app_user
  for each statement execute function clearance.raise_epoch();
create trigger epoch after insert or update or delete on role
  for each statement execute function clearance.raise_epoch();
create trigger epoch after insert or update or delete on role_inside
  for each statement execute function clearance.raise_epoch();
create trigger epoch after insert or update or delete on membership
  for each statement execute function clearance.raise_epoch();
create trigger epoch after insert or update of own_rule or delete on collection
  for each statement execute function clearance.raise_epoch();
create trigger epoch after insert or update of own_rule or delete on folder
  for each statement execute function clearance.raise_epoch();
create trigger epoch after insert or update of rule_id or delete on scope
  for each statement execute function clearance.raise_epoch();

-- Holds back all other changes of rules until the caller's transaction ends.
create function clearance.hold_epoch() returns bigint
language sql volatile security definer set search_path = '' as $$
  select number from public.policy_epoch for update
$$;
grant execute on function clearance.hold_epoch() to clearance_app;

-- The collections that the caller curates.
grant select on curator, steward, rule, rule_grant, scope to clearance_identity;
grant create on schema clearance to clearance_identity;
set local role clearance_identity;
create function clearance.curated() returns uuid[]
language sql stable parallel restricted security definer set search_path = '' as $$
  select coalesce(array_agg(c.collection_id), '{}')
  from public.curator c join public.app_user u on u.id = c.user_id
  where u.id = clearance.caller() and 'curate' = any (u.capabilities)
$$;
revoke execute on function clearance.curated() from public;
grant execute on function clearance.curated() to clearance_app, clearance_owner;
reset role;
revoke create on schema clearance from clearance_identity;

-- The roles that the caller looks after.
create function clearance.stewarded() returns uuid[]
language sql stable parallel restricted security definer set search_path = '' as $$
  select coalesce(array_agg(s.role_id), '{}')
  from public.steward s join public.app_user u on u.id = s.user_id
  where u.id = clearance.caller()
$$;

-- Whether the caller may change the rules of a collection: an administrator, or its curator.
create function clearance.may_rule(collection uuid) returns boolean
language sql stable parallel restricted security definer set search_path = '' as $$
  select clearance.caller_may('administer') or may_rule.collection = any (clearance.curated())
$$;
grant execute on function clearance.stewarded(), clearance.may_rule(uuid) to clearance_app;

-- Which rules there are holds no document text: every service reads it.
do $$
declare t text;
begin
  foreach t in array array['curator', 'collection', 'folder', 'scope', 'rule', 'rule_grant'] loop
    execute format('create policy services_read on %I for select '
                   'to clearance_app, clearance_ingest, clearance_identity using (true)', t);
  end loop;
end $$;
grant select on curator, steward, collection, folder, scope, rule, rule_grant, access_plan to clearance_app;
grant select on collection, scope, rule, rule_grant to clearance_ingest;
create policy services_read on steward for select to clearance_app, clearance_identity using (true);

-- Administrators say who curates and who looks after a role.
create policy administrators_add on curator for insert to clearance_app
  with check ((select clearance.caller_may('administer')));
create policy administrators_change on curator for update to clearance_app
  using ((select clearance.caller_may('administer')));
create policy administrators_drop on curator for delete to clearance_app
  using ((select clearance.caller_may('administer')));
create policy administrators_add on steward for insert to clearance_app
  with check ((select clearance.caller_may('administer')));
create policy administrators_drop on steward for delete to clearance_app
  using ((select clearance.caller_may('administer')));
grant insert, update, delete on curator to clearance_app;
grant insert, delete on steward to clearance_app;
-- Stewards put others into their roles and take them out, never themselves.
create policy stewards_add on membership for insert to clearance_app
  with check (role_id = any ((select clearance.stewarded())::uuid[]) and user_id <> (select clearance.caller()));
create policy stewards_drop on membership for delete to clearance_app
  using (role_id = any ((select clearance.stewarded())::uuid[]) and user_id <> (select clearance.caller()));

-- Collections, folders and scopes: administrators, and the curators of the collection.
create policy administrators_add on collection for insert to clearance_app
  with check ((select clearance.caller_may('administer')));
create policy curators_change on collection for update to clearance_app
  using ((select clearance.caller_may('administer')) or id = any ((select clearance.curated())::uuid[]));
create policy administrators_drop on collection for delete to clearance_app
  using ((select clearance.caller_may('administer')));
grant insert, delete, update (description, own_rule) on collection to clearance_app;
create policy curators_add on folder for insert to clearance_app
  with check ((select clearance.may_rule(collection_id)));
create policy curators_change on folder for update to clearance_app using ((select clearance.may_rule(collection_id)));
create policy curators_drop on folder for delete to clearance_app using ((select clearance.may_rule(collection_id)));
grant insert, delete, update (own_rule) on folder to clearance_app;
create policy curators_add on scope for insert to clearance_app
  with check ((select clearance.caller_may('administer')) or collection_id = any ((select clearance.curated())::uuid[]));
create policy curators_change on scope for update to clearance_app
  using ((select clearance.caller_may('administer')) or collection_id = any ((select clearance.curated())::uuid[]));
grant insert, update (rule_id, own_part_id) on scope to clearance_app;

-- Rules are added and never changed. Grants are added only by the transaction that makes the rule: a grant added to a
-- rule that stands would open every scope that points to it.
create policy curators_intern on rule for insert to clearance_app
  with check ((select clearance.caller_may('administer')) or cardinality((select clearance.curated())) > 0);
create policy curators_intern on rule_grant for insert to clearance_app
  with check (((select clearance.caller_may('administer')) or cardinality((select clearance.curated())) > 0)
      and exists (select 1 from rule r where r.id = rule_id and r.xmin = pg_current_xact_id()::xid));
grant insert on rule, rule_grant to clearance_app;

-- A plan says who would see how many documents: for its author and for administrators.
create policy authors_read on access_plan for select to clearance_app
  using (author_id = (select clearance.caller()) or (select clearance.caller_may('administer')));
create policy authors_add on access_plan for insert to clearance_app
  with check (author_id = (select clearance.caller()));
create policy authors_end on access_plan for update to clearance_app
  using (author_id = (select clearance.caller()) or (select clearance.caller_may('administer')));
grant insert, update (state, ended_by, ended_at) on access_plan to clearance_app;
