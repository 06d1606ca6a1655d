/** Puts `content` in the place of a Markdown text that two comments mark: `<!-- name -->` and `<!-- /name -->`. */
export const marked = (text: string, name: string, content: string): string => {
  const [begin, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`]
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from < 0 || to < from) throw new Error(`There is no place for it between ${begin.trim()} and ${end}`)
  return `${text.slice(0, from)}${begin}\n${content}\n${text.slice(to)}`
}
