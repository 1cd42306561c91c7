-- Uploads, and what the worker may write for them: the documents of the uploads that it is working on, and these under
-- no other rule than the upload's own.

create table ingest_job (
  id uuid default gen_random_uuid() not null,
  collection_id uuid not null,
  scope_id integer not null,
  path text collate "C" not null,
  uploaded_by uuid not null,
  content bytea,
  size bigint not null,
  sha256 bytea not null,
  state text default 'queued' not null,
  reason text,
  document_id uuid,
  stages jsonb,
  created_at timestamptz default now() not null,
  finished_at timestamptz,
  hidden jsonb,
  findings jsonb,
  -- The upload that brought the bytes of this one once more.
  retried_by uuid,
  constraint ingest_job_pkey primary key (id),
  constraint ingest_job_path_check check (clearance.is_normal_path(path)),
  constraint ingest_job_state_check check (state in ('queued', 'running', 'indexed', 'unchanged', 'failed')),
  constraint ingest_job_scope_id_fkey foreign key (scope_id, collection_id) references scope (id, collection_id)
    on delete cascade,
  constraint ingest_job_collection_id_fkey foreign key (collection_id) references collection (id) on delete cascade,
  constraint ingest_job_uploaded_by_fkey foreign key (uploaded_by) references app_user (id) on delete cascade,
  constraint ingest_job_retried_by_fkey foreign key (retried_by) references ingest_job (id) on delete set null
);
create index ingest_job_uploaded_by_created_at_id_idx on ingest_job (uploaded_by, created_at, id);
create index ingest_job_collection_id_path_created_at_idx on ingest_job (collection_id, path, created_at);
create index ingest_job_retried_by_idx on ingest_job (retried_by) where retried_by is not null;
create index ingest_job_running_idx on ingest_job (collection_id, path) where state = 'running';

-- An upload says what is to be done; the worker notes how it went. Its bytes go when it ends well: those of a failed one
-- stay until it is retried, removed or forgotten. What has ended stays so.
create function clearance.end_upload() returns trigger
language plpgsql set search_path = '' as $$
begin
  if old.state in ('indexed', 'unchanged', 'failed') and new.state <> old.state then
    raise exception 'the upload % has ended', old.id using errcode = 'integrity_constraint_violation';
  end if;
  if new.state in ('indexed', 'unchanged') then
    new.content := null;
  end if;
  return new;
end $$;
create trigger end_upload before update on ingest_job for each row execute function clearance.end_upload();
alter table ingest_job enable always trigger end_upload;

-- The queue: the API adds the work for an upload of the caller's, and nothing else.
create function clearance.defer_upload(job uuid) returns void
language plpgsql volatile security definer set search_path = '' as $$
declare
  place text;
begin
  select j.collection_id || '/' || j.path into place from public.ingest_job j
    where j.id = defer_upload.job and j.state = 'queued' and j.uploaded_by = clearance.caller();
  if not found then
    raise insufficient_privilege using message = 'no upload of the caller''s that waits';
  end if;
  -- The queue's own triggers name its tables without a schema; this ends with the function.
  perform set_config('search_path', 'pg_catalog, public', true);
  -- Two uploads to one path are worked on in turn; the queue knows their place by a hash alone.
  insert into public.procrastinate_jobs (queue_name, task_name, priority, lock, args)
  values ('ingest', 'ingest.upload', 0, encode(sha256(convert_to(place, 'UTF8')), 'hex'),
          jsonb_build_object('job', job));
end $$;
grant execute on function clearance.defer_upload(uuid) to clearance_app;

-- Uploads a failed file of the caller's once more, as it was asked for: the same bytes, path and own rule, under the
-- scope that this has by now. The API cannot read the bytes; they go over to the new upload. False if there are none.
create function clearance.retry_upload(job uuid, retry uuid) returns boolean
language plpgsql volatile security definer set search_path = '' as $$
declare
  failed public.ingest_job;
begin
  select * into failed from public.ingest_job j
    where j.id = retry_upload.job and j.state = 'failed' and j.content is not null
      and j.uploaded_by = clearance.caller() and j.collection_id = any (clearance.curated()) for update;
  if not found then
    return false;
  end if;
  insert into public.ingest_job (id, collection_id, scope_id, path, uploaded_by, content, size, sha256)
  values (retry_upload.retry, failed.collection_id, failed.scope_id, failed.path, failed.uploaded_by, failed.content,
          failed.size, failed.sha256);
  update public.ingest_job j set content = null, retried_by = retry_upload.retry where j.id = failed.id;
  return true;
end $$;
grant execute on function clearance.retry_upload(uuid, uuid) to clearance_app;

-- The documents at the places of the uploads that are being worked on: no other one's passages may come or go.
create function clearance.worked_on() returns bigint[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(d.id), '{}')
  from public.ingest_job j join public.document d on d.collection_id = j.collection_id and d.path = j.path
  where j.state = 'running'
$$;

-- Whether this upload will move its document, and if so: holds back other changes of rules until the transaction ends.
-- Asked before the upload and the document are locked, in the order in which everybody takes these locks.
create function clearance.hold_move(job uuid) returns boolean
language plpgsql volatile security definer set search_path = '' as $$
begin
  perform 1 from public.ingest_job j
    join public.document d on d.collection_id = j.collection_id and d.path = j.path
    where j.id = hold_move.job and j.state in ('queued', 'running') and d.scope_id <> j.scope_id
      and j.created_at >= d.ruled_at;
  if not found then
    return false;
  end if;
  perform 1 from public.policy_epoch for update;
  return true;
end $$;

-- Locks the document at an upload's place, if one is there: to lock a row takes a right to change it.
create function clearance.hold_place(job uuid) returns void
language sql volatile security definer set search_path = '' as $$
  select from public.document d join public.ingest_job j on j.collection_id = d.collection_id and j.path = d.path
  where j.id = hold_place.job and j.state in ('queued', 'running') for update of d
$$;

-- Notes that a document came under another scope: a change of who may read it, so the epoch rises and the log says so.
-- Called by the two functions below alone.
create function clearance.note_move(document uuid, old_scope int, new_scope int) returns void
language plpgsql volatile set search_path = '' as $$
declare
  record_id uuid := gen_random_uuid();
  epoch bigint;
  body text;
begin
  update public.policy_epoch set number = number + 1 returning number into epoch;
  perform pg_notify('clearance_policy', '');
  body := clearance.canonical(jsonb_build_object(
    'v', 2, 'kind', 'policy.changed', 'id', record_id, 'trail', null, 'writer', session_user,
    'at', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'actor', jsonb_build_object('user', null, 'name', 'worker', 'key', null, 'via', null, 'address', null),
    'action', 'document.moved', 'target', 'document:' || document, 'epoch', epoch,
    'before', (select jsonb_build_object('scope', s.public_id) from public.scope s where s.id = old_scope),
    'after', (select jsonb_build_object('scope', s.public_id) from public.scope s where s.id = new_scope)), 16);
  insert into public.audit_leaf (id, kind, body, leaf_hash)
  values (record_id, 'policy.changed', body, sha256('\x00'::bytea || convert_to(body, 'UTF8')));
end $$;

-- The document of the upload that is being worked on, as its new version: at the upload's place, with its size and
-- digest, under its scope, or under the one it has if it was ruled after the upload was sent.
create function clearance.put_document(job uuid, media_type text, version_id uuid)
  returns table (id bigint, public_id uuid, scope_id int)
language plpgsql volatile security definer set search_path = '' as $$
#variable_conflict use_column
declare
  upload public.ingest_job;
  standing public.document;
  ruled boolean;
begin
  select * into upload from public.ingest_job j where j.id = put_document.job and j.state = 'running' for update;
  if not found then
    raise insufficient_privilege using message = 'no upload that is being worked on';
  end if;
  loop
    select * into standing from public.document d
      where d.collection_id = upload.collection_id and d.path = upload.path for update;
    exit when found;
    return query
      insert into public.document as d
        (collection_id, scope_id, path, media_type, size, sha256, version, version_id, ruled_at)
      values (upload.collection_id, upload.scope_id, upload.path, put_document.media_type, upload.size, upload.sha256,
              1, put_document.version_id, upload.created_at)
      on conflict (collection_id, path) do nothing
      returning d.id, d.public_id, d.scope_id;
    if found then
      return;
    end if;
  end loop;
  ruled := upload.created_at >= standing.ruled_at;
  return query
    update public.document d
    set media_type = put_document.media_type, size = upload.size, sha256 = upload.sha256, version = d.version + 1,
        version_id = put_document.version_id, updated_at = now(),
        scope_id = case when ruled then upload.scope_id else d.scope_id end,
        ruled_at = case when ruled then upload.created_at else d.ruled_at end
    where d.id = standing.id
    returning d.id, d.public_id, d.scope_id;
  if ruled and standing.scope_id <> upload.scope_id then
    perform clearance.note_move(standing.public_id, standing.scope_id, upload.scope_id);
  end if;
end $$;

-- The same bytes under other tags: moves the document, and all that was derived from it follows by foreign key.
create function clearance.move_document(job uuid) returns boolean
language plpgsql volatile security definer set search_path = '' as $$
declare
  upload public.ingest_job;
  standing public.document;
begin
  select * into upload from public.ingest_job j where j.id = move_document.job and j.state = 'running' for update;
  if not found then
    raise insufficient_privilege using message = 'no upload that is being worked on';
  end if;
  select * into standing from public.document d
    where d.collection_id = upload.collection_id and d.path = upload.path and d.sha256 = upload.sha256
      and d.scope_id <> upload.scope_id and upload.created_at >= d.ruled_at for update;
  if not found then
    return false;
  end if;
  update public.document d set scope_id = upload.scope_id, ruled_at = upload.created_at, updated_at = now()
    where d.id = standing.id;
  perform clearance.note_move(standing.public_id, standing.scope_id, upload.scope_id);
  return true;
end $$;
grant execute on function clearance.worked_on(), clearance.hold_move(uuid), clearance.hold_place(uuid),
  clearance.put_document(uuid, text, uuid), clearance.move_document(uuid) to clearance_ingest;

-- Uploaders see how their uploads fare, and never the bytes again. When an upload came in and what became of it is for
-- the database and the worker to say.
create policy uploaders_read on ingest_job for select to clearance_app
  using (uploaded_by = (select clearance.caller()));
create policy curators_add on ingest_job for insert to clearance_app
  with check (uploaded_by = (select clearance.caller()) and collection_id = any ((select clearance.curated())::uuid[]));
create policy uploaders_drop on ingest_job for delete to clearance_app
  using (uploaded_by = (select clearance.caller()) and state in ('indexed', 'unchanged', 'failed'));
grant select (id, collection_id, scope_id, path, uploaded_by, size, sha256, state, reason, document_id, stages,
  created_at, finished_at, hidden, findings, retried_by), delete on ingest_job to clearance_app;
grant insert (id, collection_id, scope_id, path, uploaded_by, content, size, sha256, reason, document_id,
  stages, finished_at) on ingest_job to clearance_app;

-- The worker. It writes no column that the database gives: the ids that others know a passage by, and the transaction
-- that put a vector in place.
create policy worker on ingest_job to clearance_ingest using (true) with check (true);
create policy worker on document for select to clearance_ingest using (true);
create policy worker on original to clearance_ingest
  using (document_id = any ((select clearance.worked_on())::bigint[]));
create policy worker on chunk to clearance_ingest using (document_id = any ((select clearance.worked_on())::bigint[]));
create policy worker on posting to clearance_ingest
  using (document_id = any ((select clearance.worked_on())::bigint[]));
create policy worker on vector_row for insert to clearance_ingest with check (chunk_id in (select c.id from chunk c));
grant select on ingest_job, document to clearance_ingest;
grant update (state, reason, document_id, stages, finished_at, hidden, findings) on ingest_job to clearance_ingest;
grant select (document_id, scope_id), insert (document_id, scope_id, title, content), delete
  on original to clearance_ingest;
grant select (id, document_id, scope_id, ordinal), insert (document_id, scope_id, ordinal, heading_path, page, text,
  tokens, blocks), delete on chunk to clearance_ingest;
grant insert (chunk_id, scope_id, terms, embedding, code) on vector_row to clearance_ingest;
grant insert (term, document_id, scope_id, entries) on posting to clearance_ingest;
grant select, insert on index_profile to clearance_ingest;

-- procrastinate's own tables and functions are the worker's.
grant select, insert, update, delete on procrastinate_jobs, procrastinate_events, procrastinate_workers,
  procrastinate_periodic_defers to clearance_ingest;
do $$
declare s text;
begin
  for s in select sequencename from pg_sequences where sequencename like 'procrastinate\_%' loop
    execute format('grant usage on sequence %I to clearance_ingest', s);
  end loop;
  for s in select oid::regprocedure from pg_proc
           where pronamespace = 'public'::regnamespace and proname like 'procrastinate\_%' loop
    execute format('revoke execute on function %s from public', s);
    execute format('grant execute on function %s to clearance_ingest', s);
  end loop;
end $$;
