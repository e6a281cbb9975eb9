// node:process.
const { process } = globalThis;
export const { env, argv, platform, arch, version, versions, stdout, stderr, stdin, cwd, exit, nextTick, hrtime, uptime, pid, memoryUsage } = process;
export default process;
