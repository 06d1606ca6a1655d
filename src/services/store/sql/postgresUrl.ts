/**
 * The form of a PostgreSQL address. The driver guesses where it has another one: it would take a word for a host.
 */

/** The form that is expected, in words. */
export const postgresUrlForm =
  "postgres://user:password@host:port/database, or postgres://user:password@/database?host=/folder/of/the/socket, with what is no letter or digit in user and password percent-encoded"

/** Reads an address; null where it does not have the form. `host` is empty where a parameter gives it. */
export const parsePostgresUrl = (text: string): { readonly url: URL; readonly host: string } | null => {
  if (!/^postgres(ql)?:\/\//i.test(text)) return null
  // User and password without a host are no URL by the standard, and usual where the host is a parameter.
  const isFilled = /@\/[^@]*[?&]host=/.test(text)
  const filled = isFilled ? text.replace(/@\/(?=[^@]*[?&]host=)/, "@localhost/") : text
  if (!URL.canParse(filled)) return null
  const url = new URL(filled)
  const host = isFilled ? "" : url.host
  const hasNames = url.hash === "" && /^\/[^/]+$/.test(url.pathname)
  return hasNames && (host !== "" || url.searchParams.has("host")) ? { url, host } : null
}
