-- Undoes postings.sql. Terms stay what they are; the analysis before had others, so that documents are found by it once
-- they are uploaded again.

drop trigger drop_entries on chunk;
drop function clearance.drop_entries();
alter table posting rename to packed;
alter table packed rename constraint posting_document_id_fkey to packed_document_id_fkey;
drop index posting_term_scope_id_idx, posting_document_id_idx;

create table posting (
  chunk_id bigint not null,
  term bigint not null,
  scope_id integer not null,
  tf integer not null,
  constraint posting_pkey primary key (chunk_id, term),
  constraint posting_chunk_id_fkey foreign key (chunk_id, scope_id) references chunk (id, scope_id)
    on delete cascade on update cascade
);
insert into posting (chunk_id, term, scope_id, tf)
select e.entry >> 25, p.term, p.scope_id, (e.entry >> 22 & 7) + (e.entry >> 18 & 15) + (e.entry >> 11 & 127)
from packed p, generate_series(0, length(p.entries) / 8 - 1) as n,
     lateral (select substr(p.entries, 8 * n + 1, 8)::bigint as entry) as e;
create index posting_term_scope_id_idx on posting (term, scope_id) include (chunk_id, tf);
drop table packed;

alter table posting enable row level security;
alter table posting force row level security;
create policy owner_all on posting to clearance_owner using (true) with check (true);
create policy worker on posting to clearance_ingest using (true) with check (true);
create policy readers on posting for select to clearance_app
  using (scope_id = any ((select clearance.visible_scopes())::int[]));
grant select on posting to clearance_app;
grant insert on posting to clearance_ingest;
