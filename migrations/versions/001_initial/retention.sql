-- How long records are kept (ADR 0044). Without a rule, for ever. A rule is asked for by one who may erase and approved by
-- another; what it removes leaves its number and hash, and a record says which numbers went.

-- Of all records whose kind has this word before the dot, or of answers with this label alone, which goes before. The one
-- that was approved last is in force. Records of what was removed, held, opened and signed are under no rule.
create table retention_rule (
  id uuid default gen_random_uuid() not null,
  kind text not null,
  label text,
  -- Null: for ever.
  days integer,
  reason text not null,
  requested_by uuid not null,
  requested_at timestamptz default now() not null,
  decided_by uuid,
  decided_at timestamptz,
  approved boolean,
  -- By this rule records of before this moment were removed, and how many there were.
  pruned_before timestamptz,
  pruned bigint default 0 not null,
  constraint retention_rule_pkey primary key (id),
  constraint retention_rule_kind_check check (kind in ('answer', 'search', 'conversation', 'document', 'upload',
    'policy', 'change', 'plan', 'key', 'delegation', 'user', 'role', 'audit', 'session', 'signin', 'link', 'passkey',
    'delivery', 'leaktest', 'review', 'guardrail')),
  constraint retention_rule_label_check check (label is null
    or kind = 'answer' and label in ('public', 'internal', 'confidential', 'restricted')),
  constraint retention_rule_days_check check (days between 30 and 36500),
  constraint retention_rule_reason_check check (char_length(reason) between 10 and 1000),
  constraint retention_rule_decided_check check ((decided_by is null) = (decided_at is null)
    and (decided_by is null) = (approved is null)),
  constraint retention_rule_second_check check (decided_by is distinct from requested_by)
);
create unique index retention_rule_waiting_idx on retention_rule (kind, coalesce(label, '')) where decided_by is null;
create index retention_rule_requested_at_idx on retention_rule (requested_at, id);

create policy desk_reads on retention_rule for select to clearance_app
  using ((select clearance.caller_may('audit')) or (select clearance.caller_may('erase')));
create policy callers_request on retention_rule for insert to clearance_app
  with check (requested_by = (select clearance.caller()) and (select clearance.caller_may('erase')));
grant select, insert (kind, label, days, reason, requested_by) on retention_rule to clearance_app;

-- Decided by somebody else than who asked, once; from then on it is in force.
create function clearance.decide_retention(rule uuid, approve boolean) returns void
language plpgsql volatile security definer set search_path = '' as $$
begin
  if not clearance.caller_may('erase') then
    raise insufficient_privilege using message = 'this rule is not the caller''s to decide';
  end if;
  update public.retention_rule r set decided_by = clearance.caller(), decided_at = clock_timestamp(), approved = approve
  where r.id = rule and r.decided_by is null and r.requested_by <> clearance.caller();
  if not found then
    raise exception 'It was decided already, or you asked for it yourself.' using errcode = 'CLR01';
  end if;
end $$;
grant execute on function clearance.decide_retention(uuid, boolean) to clearance_app;

create policy sequencer_read on audit_pruned for select to clearance_sequencer using (true);
create policy delivery_read on audit_pruned for select to clearance_delivery using (true);
grant select on audit_pruned to clearance_sequencer;
grant select (seq, leaf_hash, at) on audit_pruned to clearance_delivery;

-- The rules in force that remove anything, each with the moment before which records go.
create function clearance.rules_in_force() returns table (id uuid, kind text, label text, before timestamptz)
language sql stable set search_path = '' as $$
  select r.id, r.kind, r.label, now() - make_interval(days => r.days)
  from (
    select distinct on (r.kind, r.label) r.* from public.retention_rule r
    where r.approved order by r.kind, r.label, r.decided_at desc, r.id
  ) as r
  where r.days is not null
$$;

-- The first number of a record that is as new as this, found by halves: records are in the order of their times, but for
-- the time that one may be on its way.
create function clearance.number_at(moment timestamptz) returns bigint
language plpgsql stable set search_path = '' as $$
declare
  low bigint := 0;
  high bigint := coalesce((select max(e.seq) + 1 from public.audit_entry e), 0);
  middle bigint;
  found record;
begin
  while low < high loop
    middle := (low + high) / 2;
    select e.seq, e.at into found from public.audit_entry e where e.seq >= middle and e.seq < high order by e.seq limit 1;
    if found.at < moment then
      low := found.seq + 1;
    else
      high := middle;
    end if;
  end loop;
  return low;
end $$;

-- Whether a hold is on whose record this is, or whose answer it is about, or on who or what is named in it.
create function clearance.is_held(number bigint) returns boolean
language sql stable set search_path = '' as $$
  select exists (
    select from public.audit_entry e
      join public.audit_leaf l on l.id = e.leaf_id
      join public.legal_hold h on h.lifted_at is null
    where e.seq = number and (
      position(coalesce(h.person, h.document)::text in l.body) > 0
      or exists (select from public.audit_document d where d.seq = e.seq and d.document = h.document)
      or exists (select from public.audit_entry o
                 where o.trail = e.trail and o.kind = 'answer.opened' and o.actor = h.person))
  )
$$;

-- The numbers from `first` on that rules remove now, in order, some thousands at most, each with its rule: old enough,
-- under no legal hold, and delivered to wherever the log is delivered. What is about an answer stays as long as its
-- opening, by which it is known what it is about. None as long as an export is made, which would have gaps.
create function clearance.prunable(first bigint) returns table (seq bigint, rule uuid)
language plpgsql volatile security definer set search_path = '' as $$
declare
  most constant int := 2000;
  bound bigint := coalesce((select min(d.delivered) from public.audit_delivery d where d.configured), 9223372036854775807);
begin
  -- Whoever places a hold now waits, and holds what is left.
  lock table public.legal_hold in share mode;
  if exists (select from public.log_export x where x.state = 'running' and x.beat_at > now() - interval '1 hour') then
    return;
  end if;
  return query
  with found as materialized (
    select p.seq, r.id as rule, p.trail, p.kind
    from clearance.rules_in_force() as r
      cross join lateral (select clearance.number_at(r.before + interval '1 hour') as number) as until
      cross join lateral (
        select distinct w.kind from clearance.audit_writer w where split_part(w.kind, '.', 1) = r.kind
      ) as k
      -- Of each kind in the order of the index, so that it ends where there are enough.
      cross join lateral (
        select e.seq, e.trail, e.kind from public.audit_entry e
        where e.kind = k.kind and e.seq >= first and e.seq < least(bound, until.number) and e.at < r.before
          and case
            when r.label is not null then exists (
              select from public.audit_tag t where t.seq = e.seq and t.name = 'label' and t.value = r.label)
            else not exists (
              select from public.audit_tag t
                join public.retention_rule o on o.kind = r.kind and o.label = t.value and o.approved
              where t.seq = e.seq and t.name = 'label')
            end
          and not clearance.is_held(e.seq)
        order by e.seq
        limit most
      ) as p
    order by p.seq
    limit most
  )
  select f.seq, f.rule from found f
  where f.trail is null or f.kind = 'answer.opened' or not exists (
    select from public.audit_entry o
    where o.trail = f.trail and o.kind = 'answer.opened' and o.seq not in (select g.seq from found g)
  )
  order by f.seq;
end $$;

-- Removes the records that this one says are removed, which was written and placed in this very transaction, so that no
-- head covers one without the other; gives how many. All must be what rules remove now, whoever wrote it.
create function clearance.prune(by_record uuid) returns bigint
language plpgsql volatile security definer set search_path = '' as $$
declare
  wanted bigint[];
  rules uuid[];
  leaves uuid[];
  place bigint;
begin
  select e.seq, array(
    select distinct n from jsonb_array_elements(l.body::jsonb -> 'entries') as r (range)
      cross join lateral generate_series((r.range ->> 0)::bigint, (r.range ->> 1)::bigint) as n
    order by n
  ) into place, wanted
  from public.audit_leaf l join public.audit_entry e on e.leaf_id = l.id
  where l.id = by_record and l.kind = 'log.pruned' and l.xid = pg_current_xact_id();
  select array_agg(p.rule order by p.seq) into rules
  from clearance.prunable(wanted[1]) as p join unnest(wanted) as w (seq) on w.seq = p.seq;
  if cardinality(wanted) is null or cardinality(wanted) is distinct from cardinality(rules) then
    -- Or none any more: an export began meanwhile, or another rule is in force.
    raise serialization_failure using message = 'no rule of retention removes these records';
  end if;

  set constraints public.audit_entry_leaf_id_fkey deferred;
  select array_agg(e.leaf_id) into leaves from public.audit_entry e where e.seq = any (wanted);
  insert into public.audit_pruned (seq, leaf_hash, record)
  select e.seq, e.leaf_hash, place from public.audit_entry e where e.seq = any (wanted);
  delete from public.audit_dead_letter d where d.seq = any (wanted);
  delete from public.audit_document d where d.seq = any (wanted);
  delete from public.audit_tag t where t.seq = any (wanted);
  delete from public.audit_leaf l where l.id = any (leaves);
  delete from public.audit_entry e where e.seq = any (wanted);

  update public.retention_rule r set pruned = r.pruned + n.number, pruned_before = f.before
  from clearance.rules_in_force() as f
    join (select u.rule, count(*) as number from unnest(rules) as u (rule) group by 1) as n on n.rule = f.id
  where r.id = f.id;
  -- What people were shown on a day follows from records of these kinds, and goes with the first of them.
  delete from public.audit_day d
  using (
    select way, max(f.before) as before
    from (values ('shown', 'answer'), ('shown', 'search'), ('shown', 'conversation'), ('shown', 'document'),
      ('downloaded', 'document')) as v (way, kind)
      join clearance.rules_in_force() as f on f.kind = v.kind
    group by way
  ) as gone
  where d.way = gone.way and d.day < (gone.before at time zone 'UTC')::date;
  return cardinality(wanted);
end $$;
grant execute on function clearance.prunable(bigint), clearance.prune(uuid) to clearance_sequencer;
