/**
 * The form of a PostgreSQL address. It is checked because the driver guesses at a malformed one: it would take a word
 * for a host.
 */

/** The expected form, in words. */
export const postgresUrlForm =
  "postgres://user:password@host:port/database, or postgres://user:password@/database?host=/folder/of/the/socket, in which every character of user and password that is not a letter or a digit is percent-encoded"

/** Parses an address; null if it is malformed. `host` is empty if a parameter gives the host. */
export const parsePostgresUrl = (text: string): { readonly url: URL; readonly host: string } | null => {
  if (!/^postgres(ql)?:\/\//i.test(text)) return null
  // The URL standard rejects user and password without a host, but that is usual if a parameter gives the host.
  const isFilled = /@\/[^@]*[?&]host=/.test(text)
  const filled = isFilled ? text.replace(/@\/(?=[^@]*[?&]host=)/, "@localhost/") : text
  if (!URL.canParse(filled)) return null
  const url = new URL(filled)
  const host = isFilled ? "" : url.host
  const hasNames = url.hash === "" && /^\/[^/]+$/.test(url.pathname)
  return hasNames && (host !== "" || url.searchParams.has("host")) ? { url, host } : null
}
