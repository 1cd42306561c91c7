-- Delivery of the log to elsewhere (ADR 0039): how far each target is, and the records that it refused. The process that
-- delivers has a database role of its own, which reads records and signed heads, and changes what stands here by the
-- functions below alone: a position moves only forward, over what was under way.

create table audit_delivery (
  target text not null,
  kind text not null,
  form text not null,
  -- Whether the settings name it. What they name no longer stays, so that it goes on where it was if it comes back.
  configured boolean default true not null,
  -- All numbers below this one were acknowledged by the target, or put aside.
  delivered bigint default 0 not null,
  -- Where the batch ends that is under way. It is sent with these bounds until it is acknowledged, whoever dies.
  pending bigint,
  -- The size of the newest signed head that was delivered.
  signed bigint default 0 not null,
  delivered_at timestamptz,
  -- Of what went wrong since: a few words, when it was last so, and how many times in a row.
  error text,
  failed_at timestamptz,
  failures int default 0 not null,
  constraint audit_delivery_pkey primary key (target),
  constraint audit_delivery_target_check check (target ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
  constraint audit_delivery_kind_check check (kind in ('folder', 's3', 'syslog', 'http')),
  constraint audit_delivery_form_check check (form in ('jsonl', 'ocsf', 'cef')),
  constraint audit_delivery_pending_check check (pending > delivered),
  constraint audit_delivery_error_check check (octet_length(error) <= 200)
);

-- Records that a target refused for what they are, with the reason in a few words, never the record's. `retry`: somebody
-- wants it sent again.
create table audit_dead_letter (
  target text not null,
  seq bigint not null,
  reason text not null,
  at timestamptz default clock_timestamp() not null,
  retry boolean default false not null,
  constraint audit_dead_letter_pkey primary key (target, seq),
  constraint audit_dead_letter_target_fkey foreign key (target) references audit_delivery (target),
  constraint audit_dead_letter_seq_fkey foreign key (seq) references audit_entry (seq),
  constraint audit_dead_letter_reason_check check (octet_length(reason) <= 200)
);
create index audit_dead_letter_seq_idx on audit_dead_letter (seq);

create policy auditors_read on audit_delivery for select to clearance_app using ((select clearance.caller_may('audit')));
create policy auditors_read on audit_dead_letter for select to clearance_app
  using ((select clearance.caller_may('audit')));
create policy delivery_read on audit_delivery for select to clearance_delivery using (true);
create policy delivery_read on audit_dead_letter for select to clearance_delivery using (true);
grant select on audit_delivery, audit_dead_letter to clearance_app, clearance_delivery;

-- What the forms need of the log. No key of a person, no document, no name of today.
do $$
declare t text;
begin
  foreach t in array array['audit_leaf', 'audit_entry', 'audit_head', 'audit_checkpoint', 'audit_cosignature'] loop
    execute format('create policy delivery_read on %I for select to clearance_delivery using (true)', t);
  end loop;
end $$;
grant select (id, body) on audit_leaf to clearance_delivery;
grant select (seq, leaf_id, leaf_hash, at, kind) on audit_entry to clearance_delivery;
grant select (size, root, at) on audit_head to clearance_delivery;
grant select (size, note, at) on audit_checkpoint to clearance_delivery;
grant select (size, signer, line, at) on audit_cosignature to clearance_delivery;

-- Brings the targets up to what the settings name; gives those that came, went or changed.
create function clearance.configure_deliveries(targets text[], kinds text[], forms text[])
returns table (target text, kind text, form text, configured boolean)
language sql volatile security definer set search_path = '' as $$
  with wanted as (
    select w.target, w.kind, w.form from unnest(targets, kinds, forms) as w (target, kind, form)
  ), gone as (
    update public.audit_delivery d set configured = false
    where d.configured and not exists (select from wanted w where w.target = d.target)
    returning d.target, d.kind, d.form, d.configured
  ), come as (
    insert into public.audit_delivery as d (target, kind, form)
    select w.target, w.kind, w.form from wanted w
    on conflict on constraint audit_delivery_pkey do update
      set configured = true, kind = excluded.kind, form = excluded.form, error = null, failures = 0
      where (d.configured, d.kind, d.form) is distinct from (true, excluded.kind, excluded.form)
    returning d.target, d.kind, d.form, d.configured
  )
  select * from gone union all select * from come order by target
$$;

-- Notes where the batch that begins at `first` ends. False where somebody else moved the position meanwhile.
create function clearance.plan_delivery(of_target text, first bigint, until bigint) returns boolean
language plpgsql volatile security definer set search_path = '' as $$
begin
  update public.audit_delivery d set pending = until
  where d.target = of_target and d.delivered = first and until > first
    and until <= (select max(h.size) from public.audit_head h);
  return found;
end $$;

-- The target acknowledged this batch: the position moves over it.
create function clearance.keep_delivery(of_target text, first bigint, until bigint) returns boolean
language plpgsql volatile security definer set search_path = '' as $$
begin
  update public.audit_delivery d
  set delivered = until, pending = null, delivered_at = clock_timestamp(), error = null, failed_at = null, failures = 0
  where d.target = of_target and d.delivered = first and d.pending = until;
  return found;
end $$;

-- The target refused the one record that is under way: it goes to the dead letters, and the position over it. False
-- where as many before it are dead letters too: then it is the target that is wrong, and nothing is put aside.
create function clearance.put_aside(of_target text, number bigint, why text) returns boolean
language plpgsql volatile security definer set search_path = '' as $$
begin
  if (select count(*) from public.audit_dead_letter l where l.target = of_target and l.seq between number - 10 and number - 1)
      >= 10 then
    return false;
  end if;
  update public.audit_delivery d set delivered = number + 1, pending = null
  where d.target = of_target and d.delivered = number and d.pending = number + 1;
  if found then
    insert into public.audit_dead_letter (target, seq, reason) values (of_target, number, why);
  end if;
  return found;
end $$;

-- What became of a dead letter that was sent again: delivered, or refused once more (`why`).
create function clearance.end_retry(of_target text, number bigint, why text) returns void
language sql volatile security definer set search_path = '' as $$
  delete from public.audit_dead_letter l where why is null and l.target = of_target and l.seq = number and l.retry;
  update public.audit_dead_letter l set retry = false, reason = why, at = clock_timestamp()
  where why is not null and l.target = of_target and l.seq = number and l.retry;
$$;

create function clearance.note_delivery_failure(of_target text, why text) returns void
language sql volatile security definer set search_path = '' as $$
  update public.audit_delivery d set error = why, failed_at = clock_timestamp(), failures = d.failures + 1
  where d.target = of_target
$$;

create function clearance.keep_delivered_head(of_target text, of_size bigint) returns void
language sql volatile security definer set search_path = '' as $$
  update public.audit_delivery d set signed = greatest(d.signed, of_size), error = null, failed_at = null, failures = 0
  where d.target = of_target and of_size <= d.delivered
$$;

-- Marks the dead letters of a target to be sent again; gives how many there are.
create function clearance.retry_dead_letters(of_target text) returns bigint
language plpgsql volatile security definer set search_path = '' as $$
declare
  marked bigint;
begin
  if not clearance.caller_may('audit') then
    return 0;
  end if;
  update public.audit_dead_letter l set retry = true where l.target = of_target and not l.retry;
  get diagnostics marked = row_count;
  return marked;
end $$;

-- How every target does. For auditors, administrators and the process itself; of the log it tells how many records wait,
-- and for how long the oldest of them has.
create function clearance.delivery_states() returns table (
  target text, kind text, form text, configured boolean, delivered bigint, waiting bigint, waiting_since timestamptz,
  delivered_at timestamptz, error text, failed_at timestamptz, failures int, dead_letters bigint, retrying bigint,
  at timestamptz)
language sql stable security definer set search_path = '' as $$
  select d.target, d.kind, d.form, d.configured, d.delivered, greatest(h.size - d.delivered, 0), e.at,
    d.delivered_at, d.error, d.failed_at, d.failures, l.letters, l.retrying, clock_timestamp()
  from public.audit_delivery d
    cross join (select coalesce(max(h.size), 0) as size from public.audit_head h) as h
    left join public.audit_entry e on e.seq = d.delivered
    cross join lateral (
      select count(*) as letters, count(*) filter (where l.retry) as retrying
      from public.audit_dead_letter l where l.target = d.target
    ) as l
  where session_user = 'clearance_delivery' or clearance.caller_may('audit') or clearance.caller_may('administer')
  order by d.target
$$;

-- For metrics, which nobody is identified for: how late each configured target is, and how many records it refused.
create function clearance.delivery_lags() returns table (target text, seconds double precision, dead_letters bigint)
language sql stable security definer set search_path = '' as $$
  select d.target, coalesce(extract(epoch from clock_timestamp() - e.at), 0)::double precision,
    (select count(*) from public.audit_dead_letter l where l.target = d.target)
  from public.audit_delivery d left join public.audit_entry e on e.seq = d.delivered
  where d.configured
  order by d.target
$$;
grant execute on function clearance.configure_deliveries(text[], text[], text[]),
  clearance.plan_delivery(text, bigint, bigint), clearance.keep_delivery(text, bigint, bigint),
  clearance.put_aside(text, bigint, text), clearance.end_retry(text, bigint, text),
  clearance.note_delivery_failure(text, text), clearance.keep_delivered_head(text, bigint) to clearance_delivery;
grant execute on function clearance.delivery_states() to clearance_app, clearance_delivery;
grant execute on function clearance.retry_dead_letters(text), clearance.delivery_lags() to clearance_app;
