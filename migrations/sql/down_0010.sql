-- Changes of access are noted by nobody, as before.
do $$
declare named record;
begin
  for named in select tgrelid::regclass as relation, tgname from pg_trigger where tgname in ('judged', 'judged_gone') loop
    execute format('drop trigger %I on %s', named.tgname, named.relation);
  end loop;
end $$;
drop function clearance.note(text, text), clearance.note_standing(), clearance.note_collection(), clearance.note_folder(),
  clearance.note_scopes(), clearance.note_gone_scopes(), clearance.note_documents(), clearance.note_deleted(),
  clearance.note_upload();
drop function clearance.documents_by_scope(uuid, text);

create or replace function clearance.raise_epoch() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update public.policy_epoch set number = number + 1;
  perform pg_notify('clearance_policy', '');
  return null;
end $$;

create or replace function clearance.collect_scopes(keep_jobs interval) returns bigint
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
