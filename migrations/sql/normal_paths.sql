-- Paths in one normal form, and what moving a document needs. Run by clearance_owner after 0011.

-- As app/paths.py has it, as far as PostgreSQL can see: NFC, no blank but the plain one and none at a name's ends, no
-- empty name, no `.` or `..`, no backslash, nothing that cannot be seen. Whatever app/paths.py gives passes here.
create function clearance.is_normal_path(path text) returns boolean
language sql immutable strict parallel safe set search_path = '' as $$
  select path is nfc normalized
    and path ~ '^[^/]+(/[^/]+)*$' and path !~ '(^|/)( |\.{1,2}(/|$))' and path !~ ' (/|$)'
    and path !~ '[\x01-\x1f\x7f-\xa0\\\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f]'
    and path !~ '[\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ue000-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb]'
    and path !~ '[\U000e0000-\U0010ffff]'
    and char_length(path) <= 1000 and octet_length(path) <= 2400
$$;

-- How many documents stand below a folder: a number for who may change its rule, as with documents_by_rule.
create function clearance.documents_below(collection uuid, folder text) returns bigint
language sql stable security definer set search_path = '' as $$
  select count(*) from public.document d
  where d.collection_id = documents_below.collection and starts_with(d.path, documents_below.folder || '/')
    and clearance.may_rule(documents_below.collection)
$$;

-- To which of these paths an upload is on its way: for who curates the collection.
create function clearance.awaited(collection uuid, paths text[]) returns setof text
language sql stable security definer set search_path = '' as $$
  select distinct j.path from public.ingest_job j
  where j.collection_id = awaited.collection and j.path = any (awaited.paths) and j.state in ('queued', 'running')
    and awaited.collection = any (clearance.curated())
$$;

-- Gives documents other paths, each with the scope that its new place asks for. All or nothing: a scope of another
-- collection, or of another folder than the nearest one, is refused. The API cannot write paths in any other way.
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

revoke execute on function clearance.is_normal_path(text), clearance.documents_below(uuid, text),
  clearance.awaited(uuid, text[]), clearance.move_documents(uuid, bigint[], text[], int[]) from public;
grant execute on function clearance.is_normal_path(text) to clearance_app, clearance_ingest;
grant execute on function clearance.documents_below(uuid, text), clearance.awaited(uuid, text[]),
  clearance.move_documents(uuid, bigint[], text[], int[]) to clearance_app;
