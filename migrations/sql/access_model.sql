-- Folders, delegated roles, plans, and the history of rules. Run by clearance_owner after 0001.

-- A folder is there only if it has a rule of its own: the documents below it inherit it, and it inherits, or breaks with,
-- the folders above it and the collection.
create table folder (
  id uuid default gen_random_uuid() not null,
  collection_id uuid not null,
  path text not null,
  own_rule jsonb not null,
  created_at timestamptz default now() not null,
  constraint folder_pkey primary key (id),
  constraint folder_collection_id_path_key unique (collection_id, path),
  constraint folder_id_collection_id_key unique (id, collection_id),
  constraint folder_path_check check (path ~ '^[^/]+(/[^/]+)*$'),
  constraint folder_collection_id_fkey foreign key (collection_id) references collection (id) on delete cascade
);

-- Null: the documents stand directly on the shelf.
alter table scope add column folder_id uuid;
alter table scope add constraint scope_folder_id_fkey foreign key (folder_id, collection_id)
  references folder (id, collection_id) on delete cascade;
alter table scope drop constraint scope_collection_id_own_digest_key;
alter table scope add constraint scope_collection_id_folder_id_own_digest_key
  unique nulls not distinct (collection_id, folder_id, own_digest);

-- Who may put people into a role and take them out, without being an administrator.
create table steward (
  user_id uuid not null,
  role_id uuid not null,
  constraint steward_pkey primary key (user_id, role_id),
  constraint steward_user_id_fkey foreign key (user_id) references app_user (id) on delete cascade,
  constraint steward_role_id_fkey foreign key (role_id) references role (id) on delete cascade
);

-- A change before it is made: what it is, what it would do, and who has to agree.
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

-- Who may change what.
create function clearance.stewarded() returns uuid[]
language sql stable parallel safe security definer set search_path = '' as $$
  select coalesce(array_agg(s.role_id), '{}')
  from public.steward s join public.app_user u on u.id = s.user_id
  where u.id = clearance.caller()
$$;

-- Whether the caller may change the rules of a collection: an administrator, or its curator.
create function clearance.may_rule(collection uuid) returns boolean
language sql stable parallel safe security definer set search_path = '' as $$
  select clearance.caller_may('administer') or may_rule.collection = any (clearance.curated())
$$;

do $$
declare t text;
begin
  foreach t in array array['folder', 'steward', 'access_plan'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy owner_all on %I to clearance_owner using (true) with check (true)', t);
    execute format('grant select on %I to clearance_app', t);
  end loop;
end $$;

create policy services_read on folder for select to clearance_app, clearance_ingest, clearance_identity using (true);
create policy curators_add on folder for insert to clearance_app with check ((select clearance.may_rule(collection_id)));
create policy curators_change on folder for update to clearance_app using ((select clearance.may_rule(collection_id)));
create policy curators_drop on folder for delete to clearance_app using ((select clearance.may_rule(collection_id)));
grant insert, update (own_rule), delete on folder to clearance_app;
create trigger epoch after insert or update of own_rule or delete on folder
  for each statement execute function clearance.raise_epoch();

create policy services_read on steward for select to clearance_app, clearance_identity using (true);
create policy administrators_add on steward for insert to clearance_app with check ((select clearance.caller_may('administer')));
create policy administrators_drop on steward for delete to clearance_app using ((select clearance.caller_may('administer')));
grant insert, delete on steward to clearance_app;
grant select on steward to clearance_identity;
create policy stewards_add on membership for insert to clearance_app
  with check (role_id = any ((select clearance.stewarded())::uuid[]) and user_id <> (select clearance.caller()));
create policy stewards_drop on membership for delete to clearance_app
  using (role_id = any ((select clearance.stewarded())::uuid[]) and user_id <> (select clearance.caller()));

-- A plan says who would see how many documents: for its author and for administrators.
create policy authors_read on access_plan for select to clearance_app
  using (author_id = (select clearance.caller()) or (select clearance.caller_may('administer')));
create policy authors_add on access_plan for insert to clearance_app with check (author_id = (select clearance.caller()));
create policy authors_end on access_plan for update to clearance_app
  using (author_id = (select clearance.caller()) or (select clearance.caller_may('administer')));
grant insert, update (state, ended_by, ended_at) on access_plan to clearance_app;

-- Holds back all other changes of rules until the caller's transaction ends.
create function clearance.hold_epoch() returns bigint
language sql volatile security definer set search_path = '' as $$
  select number from public.policy_epoch for update
$$;

-- The documents of these collections by the rule that decides for them: for who may change their rules, since a plan
-- counts who gains and loses how many. Numbers alone, which never leave the process; no path, no text.
create function clearance.documents_by_rule(collections uuid[]) returns table (rule_id int, documents bigint[])
language sql stable security definer set search_path = '' as $$
  select s.rule_id, array_agg(d.id)
  from public.document d join public.scope s on s.id = d.scope_id
  where d.collection_id = any (collections)
    and (clearance.caller_may('administer') or d.collection_id = any (clearance.curated()))
  group by s.rule_id
$$;

-- The folder with a rule that lies nearest above a path; null if none does. `leaving` is a folder about to go.
create function clearance.nearest_folder(collection uuid, path text, leaving uuid) returns uuid
language sql stable parallel safe set search_path = '' as $$
  select f.id from public.folder f
  where f.collection_id = nearest_folder.collection and starts_with(nearest_folder.path, f.path || '/')
    and f.id is distinct from nearest_folder.leaving
  order by length(f.path) desc limit 1
$$;

-- Which of a collection's documents and waiting uploads do not stand under their nearest folder: the scope they are under,
-- and the folder they belong to.
create function clearance.misplaced(collection uuid, leaving uuid) returns table (scope_id int, folder_id uuid)
language sql stable security definer set search_path = '' as $$
  select distinct p.scope_id, nearest.id
  from (
    select d.scope_id, d.path from public.document d where d.collection_id = misplaced.collection
    union
    select j.scope_id, j.path from public.ingest_job j where j.collection_id = misplaced.collection
  ) as p
  join public.scope s on s.id = p.scope_id
  cross join lateral (select clearance.nearest_folder(misplaced.collection, p.path, misplaced.leaving) as id) as nearest
  where s.folder_id is distinct from nearest.id and clearance.may_rule(misplaced.collection)
$$;

-- Moves those documents and uploads from one scope to another one of the same collection; gives the number of documents.
create function clearance.replace_scope(old_scope int, new_scope int, leaving uuid) returns bigint
language plpgsql volatile security definer set search_path = '' as $$
declare
  shelf uuid;
  target uuid;
  moved bigint;
begin
  select o.collection_id, n.folder_id into shelf, target from public.scope o
    join public.scope n on n.collection_id = o.collection_id
    where o.id = old_scope and n.id = new_scope and clearance.may_rule(o.collection_id);
  if not found then raise insufficient_privilege using message = 'these scopes are not yours to change'; end if;
  -- Uploads first, as the worker does it: a document that it writes beside us is then seen by the second statement.
  update public.ingest_job j set scope_id = new_scope
    where j.scope_id = old_scope and clearance.nearest_folder(shelf, j.path, leaving) is not distinct from target;
  update public.document d set scope_id = new_scope
    where d.scope_id = old_scope and clearance.nearest_folder(shelf, d.path, leaving) is not distinct from target;
  get diagnostics moved = row_count;
  return moved;
end $$;

-- Scopes on which nothing stands and nothing waits; gives how many went. Uploads that ended long ago go first, or they
-- would hold their scopes for ever. A scope that somebody is just about to use is locked, and left alone.
create function clearance.collect_scopes(keep_jobs interval) returns bigint
language plpgsql volatile security definer set search_path = '' as $$
declare
  idle int[];
  gone bigint;
begin
  delete from public.ingest_job where finished_at < now() - keep_jobs;
  select array_agg(id) into idle from (
    select s.id from public.scope s
    where (s.folder_id is not null or s.own_rule <> '{"grants": [], "inherits": true, "label": null}')
      and not exists (select 1 from public.document d where d.scope_id = s.id)
      and not exists (select 1 from public.ingest_job j where j.scope_id = s.id)
    for update skip locked
  ) as free;
  -- Asked again behind the locks: what came in between is seen now.
  delete from public.scope s
  where s.id = any (idle)
    and not exists (select 1 from public.document d where d.scope_id = s.id)
    and not exists (select 1 from public.ingest_job j where j.scope_id = s.id);
  get diagnostics gone = row_count;
  return gone;
end $$;

revoke execute on function clearance.stewarded(), clearance.may_rule(uuid), clearance.hold_epoch(),
  clearance.documents_by_rule(uuid[]), clearance.nearest_folder(uuid, text, uuid), clearance.misplaced(uuid, uuid),
  clearance.replace_scope(int, int, uuid), clearance.collect_scopes(interval) from public;
grant execute on function clearance.stewarded(), clearance.may_rule(uuid), clearance.hold_epoch(),
  clearance.documents_by_rule(uuid[]), clearance.nearest_folder(uuid, text, uuid), clearance.misplaced(uuid, uuid),
  clearance.replace_scope(int, int, uuid) to clearance_app;
grant execute on function clearance.collect_scopes(interval) to clearance_ingest;

-- The scopes that the verified user may read now: decide() of app/acl/rules.py as SQL; a law holds them equal.
-- In PL/pgSQL, whose plans outlive the transaction on a pooled connection, and with the roles as an array: a join with
-- them made the planner, which cannot know how few they are, read the grants of everybody.
grant create on schema clearance to clearance_identity;
set local role clearance_identity;
create or replace function clearance.visible_scopes() returns int[]
language plpgsql stable parallel safe security definer set search_path = '' as $$
declare
  my_id uuid;
  my_clearance smallint;
  my_roles uuid[];
begin
  select u.id, u.clearance into my_id, my_clearance from public.app_user u where u.id = (select clearance.caller());
  if not found then
    return '{}';
  end if;
  my_roles := array(
    with recursive held as (
      select m.role_id from public.membership m where m.user_id = my_id
      union
      select i.inside_id from public.role_inside i join held r on r.role_id = i.role_id
    )
    select h.role_id from held h
  );
  return array(
    with hits as (
      select g.rule_id, bool_or(g.effect = 'allow') as allowed, bool_or(g.effect = 'deny') as denied
      from public.rule_grant g
      where (g.principal_kind = 'everyone' and g.principal_id = '00000000-0000-0000-0000-000000000000'
          or g.principal_kind = 'user' and g.principal_id = my_id
          or g.principal_kind = 'role' and g.principal_id = any (my_roles))
        and (g.starts_at is null or g.starts_at <= now()) and (g.ends_at is null or now() < g.ends_at)
      group by g.rule_id
    )
    select s.id
    from hits h
    join public.rule r on r.id = h.rule_id
    join public.scope s on s.rule_id = h.rule_id
    where h.allowed and not h.denied and r.label <= my_clearance
    order by s.id
  );
end $$;
reset role;
revoke create on schema clearance from clearance_identity;
