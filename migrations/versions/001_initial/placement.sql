-- Under which scope a document stands: counting, for those who change rules, and moving. The API cannot write a path,
-- and sees only documents that its caller reads or curates; these functions do what it may ask for, and give numbers,
-- no text.

-- The folder with a rule that lies nearest above a path; null if none does. `leaving` is a folder about to go.
create function clearance.nearest_folder(collection uuid, path text, leaving uuid) returns uuid
language sql stable parallel safe set search_path = '' as $$
  select f.id from public.folder f
  where f.collection_id = nearest_folder.collection and starts_with(nearest_folder.path, f.path || '/')
    and f.id is distinct from nearest_folder.leaving
  order by length(f.path) desc limit 1
$$;

-- The documents of these collections by the rule that decides for them: a plan counts who gains and loses how many.
-- Their numbers never leave the process.
create function clearance.documents_by_rule(collections uuid[]) returns table (rule_id int, documents bigint[])
language sql stable security definer set search_path = '' as $$
  select s.rule_id, array_agg(d.id)
  from public.document d join public.scope s on s.id = d.scope_id
  where d.collection_id = any (collections)
    and ((select clearance.caller_may('administer')) or d.collection_id = any ((select clearance.curated())::uuid[]))
  group by s.rule_id
$$;

-- How many documents of these collections stand under these scopes: how far the reach of somebody goes who reads them.
-- Counted in an index, by the scopes: what somebody does not read is not looked at.
create function clearance.count_documents(collections uuid[], scopes int[])
  returns table (collection_id uuid, documents bigint)
language sql stable security definer set search_path = '' as $$
  select d.collection_id, count(*)
  from public.document d
  where d.scope_id = any (scopes) and d.collection_id = any (collections)
    and ((select clearance.caller_may('administer')) or d.collection_id = any ((select clearance.curated())::uuid[]))
  group by d.collection_id
$$;

-- How many documents of a collection, or below a folder of it, stand under each scope: a plan tells by it why a grant
-- opens nothing.
create function clearance.documents_by_scope(collection uuid, folder text)
  returns table (scope_id int, documents bigint)
language sql stable security definer set search_path = '' as $$
  select d.scope_id, count(*)
  from public.document d
  where d.collection_id = documents_by_scope.collection
    -- Paths compare by their bytes: '0' is what follows '/', and no path has a character as high as the last one.
    and d.path > coalesce(documents_by_scope.folder || '/', '')
    and d.path < coalesce(documents_by_scope.folder || '0', chr(1114111))
    and clearance.may_rule(documents_by_scope.collection)
  group by d.scope_id
$$;

-- How many documents stand below a folder.
create function clearance.documents_below(collection uuid, folder text) returns bigint
language sql stable security definer set search_path = '' as $$
  select count(*) from public.document d
  where d.collection_id = documents_below.collection
    and d.path > documents_below.folder || '/' and d.path < documents_below.folder || '0'
    and clearance.may_rule(documents_below.collection)
$$;

-- To which of these paths an upload is on its way: for who curates the collection.
create function clearance.awaited(collection uuid, paths text[]) returns setof text
language sql stable security definer set search_path = '' as $$
  select distinct j.path from public.ingest_job j
  where j.collection_id = awaited.collection and j.path = any (awaited.paths) and j.state in ('queued', 'running')
    and awaited.collection = any (clearance.curated())
$$;

-- Which of a collection's documents and waiting uploads do not stand under their nearest folder: the scope they are
-- under, and the folder they belong to.
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

-- Moves each document and waiting upload of an old scope to the new one that stands under its nearest folder. Gives,
-- for each old and new scope, how many documents moved.
create function clearance.replace_scopes(old_scopes int[], new_scopes int[], leaving uuid)
  returns table (old_scope int, new_scope int, documents bigint)
language plpgsql volatile security definer set search_path = '' as $$
#variable_conflict use_column
begin
  -- Asked once for each collection, not scope.
  if exists (
    select 1 from unnest(old_scopes, new_scopes) as p (old, new)
    left join public.scope o on o.id = p.old
    left join public.scope n on n.id = p.new and n.collection_id = o.collection_id
    where n.id is null
  ) or exists (
    with c as materialized (select distinct o.collection_id from public.scope o where o.id = any (old_scopes))
    select 1 from c where not clearance.may_rule(c.collection_id)
  ) then
    raise insufficient_privilege using message = 'these scopes are not yours to change';
  end if;
  -- Uploads first, as the worker does it: a document that it writes beside us is then seen by the second statement.
  update public.ingest_job j set scope_id = p.new
    from unnest(old_scopes, new_scopes) as p (old, new) join public.scope n on n.id = p.new
    where j.scope_id = p.old
      and clearance.nearest_folder(j.collection_id, j.path, leaving) is not distinct from n.folder_id;
  return query
  with moved as (
    update public.document d set scope_id = p.new
      from unnest(old_scopes, new_scopes) as p (old, new) join public.scope n on n.id = p.new
      where d.scope_id = p.old
        and clearance.nearest_folder(d.collection_id, d.path, leaving) is not distinct from n.folder_id
      returning p.old, p.new
  )
  select m.old, m.new, count(*) from moved m group by m.old, m.new;
end $$;

-- Gives documents other paths, each with the scope that its new place asks for. All or nothing: a scope of another
-- collection, or of another folder than the nearest one, is refused.
create function clearance.move_documents(collection uuid, documents bigint[], paths text[], scopes int[]) returns void
language plpgsql volatile security definer set search_path = '' as $$
declare
  moved bigint;
begin
  if not move_documents.collection = any (clearance.curated()) then
    raise insufficient_privilege using message = 'these documents are not yours to move';
  end if;
  update public.document d set path = n.path, scope_id = s.id, updated_at = now()
    from unnest(documents, paths, scopes) as n (id, path, scope_id)
    join public.scope s on s.id = n.scope_id and s.collection_id = move_documents.collection
      and s.folder_id is not distinct from clearance.nearest_folder(move_documents.collection, n.path, null)
    where d.id = n.id and d.collection_id = move_documents.collection;
  get diagnostics moved = row_count;
  if moved <> cardinality(documents) then
    raise insufficient_privilege using message = 'a document or scope does not belong where it is moved to';
  end if;
end $$;

-- Removes scopes on which nothing stands and nothing waits; gives how many went. Uploads that ended long ago go first,
-- or they would hold their scopes for ever. A scope that somebody is just about to use is locked, and left alone.
create function clearance.collect_scopes(keep_jobs interval) returns bigint
language plpgsql volatile security definer set search_path = '' as $$
declare
  idle int[];
  gone bigint;
begin
  -- Before any other row: everybody who changes access takes the epoch first, and two that took it and the scopes in
  -- opposite orders would wait for each other.
  perform clearance.hold_epoch();
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

grant execute on function clearance.nearest_folder(uuid, text, uuid), clearance.documents_by_rule(uuid[]),
  clearance.count_documents(uuid[], int[]), clearance.documents_by_scope(uuid, text),
  clearance.documents_below(uuid, text), clearance.awaited(uuid, text[]), clearance.misplaced(uuid, uuid), clearance.replace_scopes(int[], int[], uuid),
  clearance.move_documents(uuid, bigint[], text[], int[]) to clearance_app;
grant execute on function clearance.collect_scopes(interval) to clearance_ingest;
