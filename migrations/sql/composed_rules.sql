-- A rule is put together from parts by reference, so that re-granting what lies above ten thousand own rules of a hundred
-- grants each writes one row a rule, not a million grants. Run by clearance_owner after 0010.

-- The grants of a rule are those in rule_grant under own_id and under above_id; without own_id, under its own number. A part
-- is a row to which no scope points; it alone has grant_digests, those of its grants behind one another, ascending.
alter table rule add column own_id integer, add column above_id integer, add column grant_digests bytea;
alter table rule add constraint rule_own_id_fkey foreign key (own_id) references rule (id);
alter table rule add constraint rule_above_id_fkey foreign key (above_id) references rule (id);
-- Of a part that others inherit, so that who looks for the rules that a part belongs to looks once.
alter table rule_grant add column inherited boolean default false not null;
-- Hashes: not worth compressing, and out of the way of those who look rules up.
alter table rule alter column grant_digests set storage external;
create index rule_own_idx on rule (coalesce(own_id, id));
create index rule_above_id_idx on rule (above_id) where above_id is not null;

alter table scope add column own_part_id integer;
alter table scope add constraint scope_own_part_id_fkey foreign key (own_part_id) references rule (id);
alter table scope add column own_inherits boolean generated always as ((own_rule ->> 'inherits')::boolean) stored;
alter table scope add column own_label text generated always as (own_rule ->> 'label') stored;

grant update (own_part_id) on scope to clearance_app;

-- The canonical digests, as Grant.digest and rule_digest() in app/acl/rules.py make them. `label` as a number.
create function clearance.grant_digests(rule int) returns bytea
language sql stable set search_path = '' as $$
  select coalesce(string_agg(d.digest, '' order by d.digest), '')
  from (
    select sha256(convert_to(concat_ws('|', g.effect, g.principal_kind, g.principal_id,
        coalesce(to_char(g.starts_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'), ''),
        coalesce(to_char(g.ends_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'), '')), 'UTF8')) as digest
    from public.rule_grant g where g.rule_id = grant_digests.rule
  ) as d
$$;
-- The canary's rule (label -1) keeps the digest that nobody can ask for.
update rule set digest = sha256(convert_to(label || '|', 'UTF8') || clearance.grant_digests(id)) where label >= 0;
drop function clearance.grant_digests(int);
-- Rules and scopes that stand hold their grants themselves, until their collection gets another rule.

-- The history of scopes, kept once a statement: a re-grant moves thousands at once.
drop trigger history_of_changes on scope;
create function clearance.keep_scopes() returns trigger
language plpgsql security definer set search_path = '' as $$
declare moment timestamptz := clock_timestamp();
begin
  -- Grouped, not joined, as in `note_scopes`; and the numbers alone, not the own rules, which are long.
  with changed as materialized (
    select p.id, max(p.rule_after) as rule_id
    from (select id, rule_id, null from before union all select id, null, rule_id from after) as p (id, rule_before, rule_after)
    group by p.id having max(p.rule_before) <> max(p.rule_after)
  ), ended as (
    update public.scope_history h set valid_to = greatest(moment, h.valid_from)
      from changed c where h.scope_id = c.id and h.valid_to is null
  )
  insert into public.scope_history (scope_id, rule_id, valid_from)
    select c.id, c.rule_id, moment from changed c order by c.id;
  return null;
end $$;
create trigger history_of_changes after update on scope
  referencing old table as before new table as after for each statement execute function clearance.keep_scopes();

-- Documents likewise: a folder's first rule moves thousands.
drop trigger history_of_changes on document;
create function clearance.keep_documents() returns trigger
language plpgsql security definer set search_path = '' as $$
declare moment timestamptz := clock_timestamp();
begin
  with changed as materialized (
    select p.public_id, any_value(p.collection_id) as collection_id, max(p.after) as scope_id
    from (
      select public_id, scope_id, null, null from before
      union all select public_id, null, scope_id, collection_id from after
    ) as p (public_id, before, after, collection_id)
    group by p.public_id having max(p.before) <> max(p.after)
  ), ended as (
    update public.document_history h set valid_to = greatest(moment, h.valid_from)
      from changed c where h.document = c.public_id and h.valid_to is null
  )
  insert into public.document_history (document, collection_id, scope_id, valid_from)
    select c.public_id, c.collection_id, c.scope_id, moment from changed c order by c.public_id;
  return null;
end $$;
create trigger history_of_changes after update on document
  referencing old table as before new table as after for each statement execute function clearance.keep_documents();
revoke execute on function clearance.keep_scopes(), clearance.keep_documents() from public;

-- replace_scope() for many scopes at once: each document and waiting upload moves from its old scope to the new one that
-- stands under its nearest folder. Gives the number of documents of each old scope and folder that moved.
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
drop function clearance.replace_scope(int, int, uuid);
revoke execute on function clearance.replace_scopes(int[], int[], uuid) from public;
grant execute on function clearance.replace_scopes(int[], int[], uuid) to clearance_app;

-- As before, and who asks is found out once instead of once a document.
create or replace function clearance.documents_by_rule(collections uuid[]) returns table (rule_id int, documents bigint[])
language sql stable security definer set search_path = '' as $$
  select s.rule_id, array_agg(d.id)
  from public.document d join public.scope s on s.id = d.scope_id
  where d.collection_id = any (collections)
    and ((select clearance.caller_may('administer')) or d.collection_id = any ((select clearance.curated())::uuid[]))
  group by s.rule_id
$$;

-- Who sees what: the parts with a grant about the caller, the rules that they are parts of, the scopes under these.
grant create on schema clearance to clearance_identity;
set local role clearance_identity;
create or replace function clearance.resolve_scopes() returns int[]
language plpgsql stable parallel restricted security definer set search_path = '' as $$
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
      select g.rule_id as part_id, g.inherited, bool_or(g.effect = 'allow') as allowed,
        bool_or(g.effect = 'deny') as denied
      from public.rule_grant g
      where g.principal_kind = any ('{everyone,user,role}')
        and g.principal_id = any (my_roles || my_id || '00000000-0000-0000-0000-000000000000'::uuid)
        and (g.principal_kind = 'everyone' and g.principal_id = '00000000-0000-0000-0000-000000000000'
          or g.principal_kind = 'user' and g.principal_id = my_id
          or g.principal_kind = 'role' and g.principal_id = any (my_roles))
        and (g.starts_at is null or g.starts_at <= now()) and (g.ends_at is null or now() < g.ends_at)
      group by g.rule_id, g.inherited
    ), parts as (
      select r.id, r.label, h.allowed, h.denied
      from hits h join public.rule r on coalesce(r.own_id, r.id) = h.part_id where not h.inherited
      union all
      select r.id, r.label, h.allowed, h.denied
      from hits h join public.rule r on r.above_id = h.part_id where h.inherited
    ), rules as (
      select p.id from parts p group by p.id, p.label
      having bool_or(p.allowed) and not bool_or(p.denied) and p.label <= my_clearance
    )
    select s.id from rules r join public.scope s on s.rule_id = r.id order by s.id
  );
end $$;
reset role;
revoke create on schema clearance from clearance_identity;
