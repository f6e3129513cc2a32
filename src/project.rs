//! `tablemap.yaml`, environment variables, secrets.
