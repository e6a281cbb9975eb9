mod default;
mod test;
mod update;
