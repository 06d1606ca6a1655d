/**
 * Paths that a shell would have expanded, and that came here as they were written: in a unit file, a compose file or a
 * quoted word. To take them literally would make a folder named `~`, and a count for each working folder.
 */

/** Whether a path begins with `~` or holds `$`. */
export const isUnexpanded = (path: string): boolean => /^[\\/]*~|\$/.test(path.trim())

/** The reason, for the text of an error. */
export const notExpanded = "~ and $ are not expanded here, so write the whole path"
