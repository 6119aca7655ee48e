-- One role for each part of leadrank that uses PostgreSQL, each with what its part needs and no more.
-- Run once, by a superuser, in the database of leadrank, with psql 15 or later. The passwords come from the
-- environment; one that is not set ends the script, and nothing is made.
\getenv reader LEADRANK_READER_PASSWORD
\getenv engine LEADRANK_ENGINE_PASSWORD
\getenv writer LEADRANK_WRITER_PASSWORD
\getenv page LEADRANK_PAGE_PASSWORD
\getenv mlflow LEADRANK_MLFLOW_PASSWORD

BEGIN;
CREATE ROLE leadrank_reader LOGIN PASSWORD :'reader';
CREATE ROLE leadrank_engine LOGIN PASSWORD :'engine';
CREATE ROLE leadrank_writer LOGIN PASSWORD :'writer';
CREATE ROLE leadrank_page LOGIN PASSWORD :'page';
CREATE ROLE leadrank_mlflow LOGIN PASSWORD :'mlflow';

REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME"
    TO leadrank_reader, leadrank_engine, leadrank_writer, leadrank_page, leadrank_mlflow;

-- The CRM: its tables and views are made and filled by others, and are only read. What the role that runs this
-- makes in the schema later may be read, too; another role that fills it grants the same of its tables.
CREATE SCHEMA IF NOT EXISTS crm;
GRANT USAGE ON SCHEMA crm TO leadrank_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA crm TO leadrank_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA crm GRANT SELECT ON TABLES TO leadrank_reader;

-- Features: temporary tables, which only their own session sees and which end with it.
GRANT TEMPORARY ON DATABASE :"DBNAME" TO leadrank_engine;

-- The ranking, what the page remembers, and MLflow: each in a schema that its role owns and no other role sees.
CREATE SCHEMA ranking AUTHORIZATION leadrank_writer;
CREATE SCHEMA page AUTHORIZATION leadrank_page;
CREATE SCHEMA mlflow AUTHORIZATION leadrank_mlflow;
-- The page and MLflow name no schema: theirs is the only one that they look in.
ALTER ROLE leadrank_page IN DATABASE :"DBNAME" SET search_path = page;
ALTER ROLE leadrank_mlflow IN DATABASE :"DBNAME" SET search_path = mlflow;
COMMIT;
