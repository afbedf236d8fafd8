-- The tables of online.yaml; worpen dev --init-sql examples/online.sql runs this before it serves.
CREATE TABLE IF NOT EXISTS users (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    online BOOLEAN NOT NULL
);

-- Whoever was here before the server started is not here any more.
UPDATE users SET online = false;
