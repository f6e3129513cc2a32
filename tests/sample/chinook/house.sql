CREATE TABLE performer (number integer PRIMARY KEY, name varchar(120), records integer);
CREATE TABLE record (number integer PRIMARY KEY, title varchar(160) NOT NULL, performer integer NOT NULL REFERENCES performer);
CREATE TABLE style (name varchar(120) PRIMARY KEY, number integer NOT NULL);
CREATE TABLE medium (number integer PRIMARY KEY, name varchar(120));
CREATE TABLE song (number integer PRIMARY KEY, name varchar(200) NOT NULL, record integer REFERENCES record,
  style varchar(120) REFERENCES style ON UPDATE CASCADE, medium integer NOT NULL REFERENCES medium, performer_name varchar(120),
  composer varchar(220), seconds integer, price numeric(10,2) NOT NULL);
CREATE TABLE staff (number integer PRIMARY KEY, name varchar(61) NOT NULL, boss integer REFERENCES staff, born date,
  email varchar(60));
CREATE TABLE client (email varchar(60) PRIMARY KEY, first_name varchar(40) NOT NULL, last_name varchar(20) NOT NULL,
  city varchar(40), phone varchar(24), agent integer REFERENCES staff, bought numeric(10,2));
CREATE TABLE bill (number integer PRIMARY KEY, client varchar(60) NOT NULL REFERENCES client, day date NOT NULL,
  country varchar(40), total numeric(10,2) NOT NULL, lines integer);
CREATE TABLE bill_line (number integer PRIMARY KEY, bill integer NOT NULL REFERENCES bill,
  song integer NOT NULL REFERENCES song, amount numeric(10,2) NOT NULL);
CREATE TABLE list (number integer PRIMARY KEY, name varchar(120));
CREATE TABLE list_song (list integer NOT NULL REFERENCES list, song integer NOT NULL REFERENCES song, PRIMARY KEY (list, song));
