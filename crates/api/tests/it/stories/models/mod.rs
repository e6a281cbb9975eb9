mod create;
mod default;
mod origin;
mod runs;
mod test;
mod update;
