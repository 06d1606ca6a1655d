/** The work of this process, in milliseconds of its processor: on a busy machine time passes without any. */
export const cpuMillis = (work: () => unknown): number => {
  const began = process.cpuUsage()
  work()
  const { system, user } = process.cpuUsage(began)
  return (user + system) / 1000
}
