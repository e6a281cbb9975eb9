mod default;
mod runs;
mod test;
mod update;
