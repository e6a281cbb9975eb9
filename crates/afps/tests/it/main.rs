//! Stories on real bytes: archives as tools write them and as attackers forge them, and the packages in `packages/`.

mod archive;
mod content;
mod forge;
mod hostile;
mod system_packages;
