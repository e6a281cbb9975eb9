mod change;
mod get;
mod list;
