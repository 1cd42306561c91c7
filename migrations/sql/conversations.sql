-- Conversations, kept for their asker alone. An answer is derived text: it is read back only while every document that
-- it was made from is still the reader's to read, whatever the service asks.

CREATE TABLE conversation (
  id UUID DEFAULT gen_random_uuid() NOT NULL,
  user_id UUID NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT conversation_pkey PRIMARY KEY (id),
  CONSTRAINT conversation_id_user_id_key UNIQUE (id, user_id),
  CONSTRAINT conversation_user_id_fkey FOREIGN KEY(user_id) REFERENCES app_user (id) ON DELETE CASCADE
);
CREATE INDEX conversation_user_id_created_at_idx ON conversation (user_id, created_at);

-- The pair of ids in each foreign key below keeps a row with the person whose conversation it is.
CREATE TABLE turn (
  id UUID NOT NULL,
  conversation_id UUID NOT NULL,
  user_id UUID NOT NULL,
  question TEXT NOT NULL,
  mode TEXT NOT NULL,
  outcome TEXT NOT NULL,
  policy_epoch BIGINT NOT NULL,
  at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
  CONSTRAINT turn_pkey PRIMARY KEY (id),
  CONSTRAINT turn_id_user_id_key UNIQUE (id, user_id),
  CONSTRAINT turn_mode_check CHECK (mode in ('generate', 'quote')),
  CONSTRAINT turn_outcome_check CHECK (outcome in ('answered', 'quoted', 'nothing', 'refused', 'failed', 'hung_up')),
  CONSTRAINT turn_conversation_id_fkey FOREIGN KEY(conversation_id, user_id) REFERENCES conversation (id, user_id)
    ON DELETE CASCADE
);
CREATE INDEX turn_conversation_id_at_idx ON turn (conversation_id, at);

CREATE TABLE turn_answer (
  turn_id UUID NOT NULL,
  user_id UUID NOT NULL,
  made_from INTEGER NOT NULL,
  answer TEXT NOT NULL,
  shown JSONB NOT NULL,
  redactions JSONB NOT NULL,
  CONSTRAINT turn_answer_pkey PRIMARY KEY (turn_id),
  CONSTRAINT turn_answer_made_from_check CHECK (made_from >= 0),
  CONSTRAINT turn_answer_turn_id_fkey FOREIGN KEY(turn_id, user_id) REFERENCES turn (id, user_id) ON DELETE CASCADE
);

CREATE TABLE turn_source (
  turn_id UUID NOT NULL,
  document_id BIGINT NOT NULL,
  scope_id INTEGER NOT NULL,
  user_id UUID NOT NULL,
  CONSTRAINT turn_source_pkey PRIMARY KEY (turn_id, document_id),
  CONSTRAINT turn_source_turn_id_fkey FOREIGN KEY(turn_id, user_id) REFERENCES turn (id, user_id) ON DELETE CASCADE,
  CONSTRAINT turn_source_document_id_fkey FOREIGN KEY(document_id, scope_id) REFERENCES document (id, scope_id)
    ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX turn_source_document_id_idx ON turn_source (document_id);

do $$
declare t text;
begin
  foreach t in array array['conversation', 'turn', 'turn_answer', 'turn_source'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy owner_all on %I to clearance_owner using (true) with check (true)', t);
    -- Added by their asker, never changed; turns go with their conversation, by foreign key.
    execute format('grant select, insert on %I to clearance_app', t);
  end loop;
  foreach t in array array['conversation', 'turn'] loop
    execute format('create policy readers on %I for select to clearance_app '
                   'using (user_id = (select clearance.caller()))', t);
  end loop;
  foreach t in array array['conversation', 'turn', 'turn_answer'] loop
    execute format('create policy askers_add on %I for insert to clearance_app '
                   'with check (user_id = (select clearance.caller()))', t);
  end loop;
end $$;

create policy askers_drop on conversation for delete to clearance_app using (user_id = (select clearance.caller()));
grant delete on conversation to clearance_app;

create policy readers on turn_source for select to clearance_app
  using (user_id = (select clearance.caller()) and scope_id = any ((select clearance.visible_scopes())::int[]));
create policy askers_add on turn_source for insert to clearance_app
  with check (user_id = (select clearance.caller()) and scope_id = any ((select clearance.visible_scopes())::int[]));
-- The inner count runs under the policy above: a source that was lost, or whose document is gone, is not counted.
create policy readers on turn_answer for select to clearance_app
  using (user_id = (select clearance.caller())
     and made_from = (select count(*) from turn_source s where s.turn_id = turn_answer.turn_id));

-- The canary's rows, for the start-up probe.
insert into conversation (id, user_id)
values ('00000000-0000-4000-8000-00000000ca9a', '00000000-0000-4000-8000-00000000ca9a');
insert into turn (id, conversation_id, user_id, question, mode, outcome, policy_epoch)
values ('00000000-0000-4000-8000-00000000ca9a', '00000000-0000-4000-8000-00000000ca9a',
        '00000000-0000-4000-8000-00000000ca9a', 'canary', 'quote', 'quoted', 0);
insert into turn_answer (turn_id, user_id, made_from, answer, shown, redactions)
values ('00000000-0000-4000-8000-00000000ca9a', '00000000-0000-4000-8000-00000000ca9a', 1, 'canary', '[]', '{}');
insert into turn_source (turn_id, document_id, scope_id, user_id)
select '00000000-0000-4000-8000-00000000ca9a', id, scope_id, '00000000-0000-4000-8000-00000000ca9a'
from document where collection_id = '00000000-0000-4000-8000-00000000ca9a';
