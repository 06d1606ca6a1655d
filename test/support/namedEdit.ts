/**
 * Edits of source text by name: the value of a named constant, function or property is replaced.
 */
import ts from "typescript"

export interface NamedEdit {
  /** The file, from the root of the project. */
  readonly file: string
  /** Names from the outside in, by `/`: `guardsOf/canResume` is the property `canResume` inside `guardsOf`. */
  readonly name: string
  /** The code that replaces the value, or a function that makes it from the value's present code. */
  readonly as: string | ((was: string) => string)
}

const isNamed = (node: ts.Node): node is ts.VariableDeclaration | ts.PropertyAssignment =>
  (ts.isVariableDeclaration(node) || ts.isPropertyAssignment(node)) &&
  (ts.isIdentifier(node.name) || ts.isStringLiteral(node.name))

/** The values of that name that stand nearest to the surface inside a node. */
const nearest = (within: ts.Node, name: string): ReadonlyArray<ts.Expression> => {
  let level: ReadonlyArray<ts.Node> = [within]
  while (level.length > 0) {
    const next: Array<ts.Node> = []
    for (const node of level) ts.forEachChild(node, (child) => void next.push(child))
    const found = next.flatMap((node) =>
      isNamed(node) && (node.name as ts.Identifier | ts.StringLiteral).text === name
        ? [node.initializer!]
        : []
    )
    if (found.length > 0) return found
    level = next
  }
  return []
}

/** The text after an edit. An edit whose name does not occur exactly once is out of date. */
export const edited = (text: string, { as, file, name }: NamedEdit): string => {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  let node: ts.Node = source
  for (const part of name.split("/")) {
    const found = nearest(node, part)
    if (found.length !== 1)
      throw new Error(`${file} has ${found.length} values "${part}" of ${name}, not one`)
    node = found[0]!
  }
  const [start, end] = [node.getStart(source), node.getEnd()]
  const code = typeof as === "string" ? as : as(text.slice(start, end))
  return `${text.slice(0, start)}${code}${text.slice(end)}`
}
