-- Run once by the superuser on an empty server: the four roles, the extensions and the database.
-- Passwords come from the environment of psql; chat_writer never logs in.
\set ON_ERROR_STOP on
\getenv owner_password CHATSYSTEM_OWNER_PASSWORD
\getenv app_password CHATSYSTEM_APP_PASSWORD
\getenv platform_password CHATSYSTEM_PLATFORM_PASSWORD

CREATE ROLE chat_owner LOGIN BYPASSRLS CREATEDB PASSWORD :'owner_password';
CREATE ROLE chat_app LOGIN PASSWORD :'app_password';
CREATE ROLE chat_platform LOGIN BYPASSRLS PASSWORD :'platform_password';
CREATE ROLE chat_writer NOLOGIN BYPASSRLS;
GRANT chat_writer TO chat_owner;
-- What the relay does for one organization it does as the runtime role, bound by row security.
GRANT chat_app TO chat_platform WITH INHERIT FALSE, SET TRUE;

\connect template1
CREATE EXTENSION IF NOT EXISTS vector;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS unaccent;
CREATE EXTENSION IF NOT EXISTS btree_gin;

CREATE DATABASE chat OWNER chat_owner;
