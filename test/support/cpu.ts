/**
 * The processor time that some work takes, in milliseconds. Other work on a busy machine does not add to it.
 */
export const cpuMillis = (work: () => unknown): number => {
  const began = process.cpuUsage()
  work()
  const { system, user } = process.cpuUsage(began)
  return (user + system) / 1000
}
