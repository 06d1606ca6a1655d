/**
 * The form of a PostgreSQL address. The driver guesses where it has another one: it would take a word for a host.
 */

/** The form that is expected, in words. */
export const postgresUrlForm =
  "postgres://user:password@host:port/database, with what is no letter or digit in user and password percent-encoded"

/** Whether a text names a database of a host, or one of the folder that the parameter `host` gives. */
export const isPostgresUrl = (text: string): boolean => {
  if (!/^postgres(ql)?:\/\//i.test(text) || !URL.canParse(text)) return false
  const url = new URL(text)
  const hasName = url.hash === "" && /^\/[^/]+$/.test(url.pathname)
  return hasName && (url.host !== "" || url.searchParams.has("host"))
}
