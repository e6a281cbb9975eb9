// node:os with fixed values: the machine is nobody's business.
export const EOL = "\n";
export const platform = () => "linux";
export const type = () => "Linux";
export const arch = () => "x64";
export const release = () => "0.0.0";
export const hostname = () => "sandbox";
export const homedir = () => process.cwd();
export const tmpdir = () => `${process.cwd()}/tmp`;
export const endianness = () => "LE";
export const uptime = () => process.uptime();
export const cpus = () => [{ model: "cpu", speed: 0, times: { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 } }];
export const availableParallelism = () => 1;
export const totalmem = () => 0;
export const freemem = () => 0;
export const loadavg = () => [0, 0, 0];
export const networkInterfaces = () => ({});
export const userInfo = () => ({ uid: 1000, gid: 1000, username: "agent", homedir: process.cwd(), shell: "/bin/sh" });
export default { EOL, platform, type, arch, release, hostname, homedir, tmpdir, endianness, uptime, cpus, availableParallelism, totalmem, freemem, loadavg, networkInterfaces, userInfo };
