-- The visible scopes, resolved once in a transaction instead of once in each statement and table. Run by clearance_owner
-- after 0006.
--
-- A search asks row-level security a dozen times who sees what. In a read-only transaction of one snapshot the answer cannot
-- change, so it may be remembered in a setting of the transaction, under a MAC that binds it to the identity, the backend,
-- the moment at which the transaction began, and its snapshot. No value of another transaction passes, nor one that somebody
-- else wrote.

grant create on schema clearance to clearance_identity;
set local role clearance_identity;

create function clearance.scopes_mac(scopes text) returns text
language sql stable parallel safe security definer set search_path = '' as $$
  select encode(sha256(k.outer_pad || sha256(k.inner_pad || convert_to(concat_ws('|',
      'scopes', current_setting('clearance.identity', true), pg_backend_pid(), extract(epoch from now()),
      pg_current_snapshot(), scopes), 'UTF8'))), 'hex')
  from clearance.identity_key k
$$;

-- What visible_scopes() did before: from the rules. Written again, not renamed: policies hold a function by its number, and
-- would have gone on calling this one.
create function clearance.resolve_scopes() returns int[]
language plpgsql stable parallel safe security definer set search_path = '' as $$
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
      select g.rule_id, bool_or(g.effect = 'allow') as allowed, bool_or(g.effect = 'deny') as denied
      from public.rule_grant g
      where (g.principal_kind = 'everyone' and g.principal_id = '00000000-0000-0000-0000-000000000000'
          or g.principal_kind = 'user' and g.principal_id = my_id
          or g.principal_kind = 'role' and g.principal_id = any (my_roles))
        and (g.starts_at is null or g.starts_at <= now()) and (g.ends_at is null or now() < g.ends_at)
      group by g.rule_id
    )
    select s.id
    from hits h
    join public.rule r on r.id = h.rule_id
    join public.scope s on s.rule_id = h.rule_id
    where h.allowed and not h.denied and r.label <= my_clearance
    order by s.id
  );
end $$;

-- The scopes that the verified user may read now: as remembered in this transaction, or from the rules. An identity that has
-- expired since sees nothing any more.
create or replace function clearance.visible_scopes() returns int[]
language plpgsql stable parallel safe security definer set search_path = '' as $$
declare
  given text := current_setting('clearance.scopes', true);
  kept text;
begin
  if given is not null and given <> '' then
    kept := substr(given, 66);
    if substr(given, 1, 64) = clearance.scopes_mac(kept) and clearance.caller() is not null then
      return kept::int[];
    end if;
  end if;
  return clearance.resolve_scopes();
end $$;

-- Resolves and remembers, where nothing can change until the transaction ends; elsewhere it does nothing.
create function clearance.remember_scopes() returns boolean
language plpgsql volatile security definer set search_path = '' as $$
declare
  resolved text;
begin
  if current_setting('transaction_read_only') <> 'on'
      or current_setting('transaction_isolation') not in ('repeatable read', 'serializable') then
    return false;
  end if;
  resolved := clearance.resolve_scopes()::text;
  perform set_config('clearance.scopes', clearance.scopes_mac(resolved) || '|' || resolved, true);
  return true;
end $$;

revoke execute on function clearance.scopes_mac(text), clearance.resolve_scopes(), clearance.remember_scopes() from public;
grant execute on function clearance.remember_scopes() to clearance_app, clearance_owner;
reset role;
revoke create on schema clearance from clearance_identity;
