-- What auditors keep for themselves: queries of the log under a name, and exports of it, made in the background and kept
-- for a day. The content of an export is sealed under the audit key, so that a copy of the database shows nobody's words.
-- And what they asked to open of the log: sealed words, for a reason.

create table saved_query (
  id uuid default gen_random_uuid() not null,
  user_id uuid not null,
  name text not null,
  q text not null,
  constraint saved_query_pkey primary key (id),
  constraint saved_query_user_id_name_key unique (user_id, name),
  constraint saved_query_user_id_fkey foreign key (user_id) references app_user (id) on delete cascade
);

-- The sealed words of one record and its trail, or of what one query finds. `asker`: whose words they are, where it is
-- one person's. The log has a record of each request and each decision; this is what they are worked from.
create table opening (
  id uuid default gen_random_uuid() not null,
  requested_by uuid not null,
  requested_at timestamptz default now() not null,
  reason text not null,
  record uuid,
  trail uuid,
  asker uuid,
  -- A query of an export, with ids in the place of names.
  resolved text,
  needs_second boolean not null,
  decided_by uuid,
  decided_at timestamptz,
  approved boolean,
  constraint opening_pkey primary key (id),
  constraint opening_requested_by_fkey foreign key (requested_by) references app_user (id) on delete cascade,
  constraint opening_reason_check check (char_length(reason) between 10 and 1000),
  constraint opening_scope_check check ((record is null) <> (resolved is null) and (trail is null or record is not null)
    and (asker is null) = (record is null)),
  constraint opening_decided_check check ((decided_by is null) = (decided_at is null)
    and (decided_by is null) = (approved is null)),
  constraint opening_second_check check (decided_by is distinct from requested_by)
);
create index opening_requested_at_idx on opening (requested_at, id);
create index opening_requested_by_idx on opening (requested_by);
create index opening_asker_idx on opening (asker, requested_at, id) where asker is not null;

create table log_export (
  id uuid default gen_random_uuid() not null,
  requested_by uuid not null,
  requested_at timestamptz default now() not null,
  format text not null,
  -- The query as it was written, and with ids in the place of names, as it is answered and recorded.
  q text not null,
  resolved text not null,
  -- What allows personal words in the clear; null: they stay sealed.
  opening uuid,
  -- The number of entries under the head at which it ends.
  size bigint not null,
  state text default 'running' not null,
  -- The last number that was looked at, how many records and bytes were written, and in how many parts.
  reached bigint default -1 not null,
  records bigint default 0 not null,
  bytes bigint default 0 not null,
  parts int default 0 not null,
  -- Of the file that the parts make, in hex.
  sha256 text,
  -- When it last went on, or ended. A day later it is gone.
  beat_at timestamptz default now() not null,
  error text,
  constraint log_export_pkey primary key (id),
  constraint log_export_requested_by_fkey foreign key (requested_by) references app_user (id) on delete cascade,
  constraint log_export_opening_fkey foreign key (opening) references opening (id) on delete cascade,
  constraint log_export_format_check check (format in ('jsonl', 'csv', 'parquet', 'ocsf', 'cef')),
  constraint log_export_state_check check (state in ('running', 'interrupted', 'ready', 'failed')),
  constraint log_export_sha256_check check ((state = 'ready') = (sha256 is not null))
);
-- One at a time for each auditor.
create unique index log_export_running_idx on log_export (requested_by) where state = 'running';
create index log_export_requested_by_idx on log_export (requested_by, requested_at, id);
create index log_export_opening_idx on log_export (opening) where opening is not null;

create table log_export_part (
  export_id uuid not null,
  ordinal int not null,
  content bytea not null,
  constraint log_export_part_pkey primary key (export_id, ordinal),
  constraint log_export_part_export_id_fkey foreign key (export_id) references log_export (id) on delete cascade
);

-- Each is its auditor's alone, and no longer anybody's when they are no auditor any more.
create policy auditors_own on saved_query for all to clearance_app
  using (user_id = (select clearance.caller()) and (select clearance.caller_may('audit')));
create policy auditors_own on log_export for all to clearance_app
  using (requested_by = (select clearance.caller()) and (select clearance.caller_may('audit'))
    and beat_at > now() - interval '1 day');
-- Under the policy above.
create policy auditors_own on log_export_part for all to clearance_app
  using (exists (select from log_export e where e.id = export_id));
-- Who opens words asks for themselves, and decides what others asked for, once. An auditor sees all of them; a person
-- sees what was opened of theirs.
create policy auditors_read on opening for select to clearance_app
  using ((select clearance.caller_may('audit')));
create policy askers_read on opening for select to clearance_app
  using (asker = (select clearance.caller()) and coalesce(approved, not needs_second));
create policy callers_request on opening for insert to clearance_app
  with check (requested_by = (select clearance.caller()) and (select clearance.caller_may('open')));
create policy others_decide on opening for update to clearance_app
  using (needs_second and decided_by is null and requested_by <> (select clearance.caller())
    and (select clearance.caller_may('open')))
  with check (decided_by = (select clearance.caller()));
grant select, insert (requested_by, reason, record, trail, asker, resolved, needs_second),
  update (decided_by, decided_at, approved) on opening to clearance_app;
grant select, insert (user_id, name, q), update (q), delete on saved_query to clearance_app;
grant select, insert (requested_by, format, q, resolved, opening, size),
  update (state, reached, records, bytes, parts, sha256, beat_at, error), delete on log_export to clearance_app;
grant select, insert on log_export_part to clearance_app;

-- The worker removes what is older than a day, and reads none of it.
create function clearance.remove_old_exports() returns bigint
language sql security definer set search_path = '' as $$
  with gone as (delete from public.log_export where beat_at <= now() - interval '1 day' returning 1)
  select count(*) from gone
$$;
revoke all on function clearance.remove_old_exports() from public;
grant execute on function clearance.remove_old_exports() to clearance_ingest;
