-- Undoes conversations.sql: all conversations are lost.

drop table turn_source, turn_answer, turn, conversation;
