mod configure;
mod list;
