-- Leak tests that administrators start from the service itself: who, how far, and what was found. A report names what
-- was planted and how each surface answered; it holds no text of any document.

create table leak_test_run (
  id uuid default gen_random_uuid() not null,
  started_by uuid not null,
  started_at timestamptz default now() not null,
  state text default 'running' not null,
  step text default '' not null,
  done int default 0 not null,
  total int default 0 not null,
  -- When the process that runs it was last heard of.
  beat_at timestamptz default now() not null,
  ended_at timestamptz,
  failures int,
  -- As it was written: its people stand in an order.
  report json,
  error text,
  constraint leak_test_run_pkey primary key (id),
  constraint leak_test_run_started_by_fkey foreign key (started_by) references app_user (id) on delete cascade,
  constraint leak_test_run_state_check check (state in ('running', 'ended', 'failed')),
  constraint leak_test_run_ended_check check ((state = 'running') = (ended_at is null))
);
create index leak_test_run_started_by_idx on leak_test_run (started_by);
-- One at a time in the whole installation: two would take each other's people for leftovers.
create unique index leak_test_run_running_idx on leak_test_run (state) where state = 'running';

create policy administrators_read on leak_test_run for select to clearance_app
  using ((select clearance.caller_may('administer')));
create policy administrators_add on leak_test_run for insert to clearance_app
  with check (started_by = (select clearance.caller()) and (select clearance.caller_may('administer')));
create policy administrators_change on leak_test_run for update to clearance_app
  using ((select clearance.caller_may('administer')));
grant select, insert (started_by), update (state, step, done, total, beat_at, ended_at, failures, report, error)
  on leak_test_run to clearance_app;
