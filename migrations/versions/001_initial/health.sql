-- How the other processes do, for an administrator of the service, whose database role reads neither the queue nor the
-- log: a heartbeat, and how much waits for how long. Nothing that stands in a document, a path or a record.

-- Of the log the newest records alone are looked at: those that wait are among them, and it may hold ten million.
create function clearance.process_states() returns table (
  revision text, heartbeat timestamptz, uploads bigint, oldest_upload timestamptz,
  records bigint, oldest_record timestamptz, ordered_at timestamptz, at timestamptz,
  entries bigint, signed bigint, unsigned_since timestamptz, cosigned bigint, uncosigned_since timestamptz,
  stamped bigint, unstamped_since timestamptz)
language sql stable security definer set search_path = '' as $$
  select (select v.version_num from public.alembic_version v),
    (select max(w.last_heartbeat) from public.procrastinate_workers w),
    j.waiting, j.oldest, l.waiting, l.oldest,
    (select h.at from public.audit_head h order by h.size desc limit 1), clock_timestamp(),
    s.entries, s.signed,
    (select h.at from public.audit_head h where h.size > coalesce(s.signed, 0) order by h.size limit 1), s.cosigned,
    (select c.at from public.audit_checkpoint c where c.size > s.cosigned order by c.size limit 1), s.stamped,
    (select c.at from public.audit_checkpoint c where c.size > s.stamped order by c.size limit 1)
  from (
    select (select max(h.size) from public.audit_head h) as entries,
      (select max(c.size) from public.audit_checkpoint c) as signed,
      (select max(c.size) from public.audit_cosignature c) as cosigned,
      (select max(t.size) from public.audit_timestamp t) as stamped
  ) as s, (
    select count(*) as waiting, min(j.created_at) as oldest
    from public.ingest_job j where j.state in ('queued', 'running')
  ) as j, (
    select count(*) as waiting, min(n.at) as oldest
    from (select l.id, l.at from public.audit_leaf l order by l.xid desc limit 1000) as n
    where not exists (select from public.audit_entry e where e.leaf_id = n.id)
  ) as l
  where clearance.caller_may('administer')
$$;
grant execute on function clearance.process_states() to clearance_app;
