/**
 * The check of a method's name and parameters, before anything is sent.
 */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import { InvalidInput } from "../../../schemas/InvalidInput.js"
import { isElementName, type SoapParameters } from "./envelope.js"
import { isXmlText } from "./xml.js"

type Leaf = string | number | boolean | null | undefined | Redacted.Redacted<string>

export interface Parameters {
  readonly [name: string]: Leaf | Parameters | ReadonlyArray<Leaf | Parameters>
}

/** Parameters that can be put into an envelope, and the secrets among them. */
interface Read {
  readonly parameters: SoapParameters
  readonly secrets: ReadonlyArray<Redacted.Redacted<string>>
}

const deepest = 32

const fail = (field: string, expected: string): Either.Either<never, InvalidInput> =>
  Either.left(new InvalidInput({ field, expected }))

/**
 * Reads the name of a method, which is a C# identifier. `Authenticate` is refused in any letter case and with
 * underscores around it, since it is not known whether Number compares names by case.
 */
export const readMethod = (name: string): Either.Either<string, InvalidInput> => {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    return fail("method's name", "letters, digits and underscores, such as Transaction_Void")
  }
  return /^_*authenticate_*$/i.test(name)
    ? fail(
        "method's name",
        "one that takes a session key, and not Authenticate, which would be an attempt that the ledger does not know of; NumberAuth makes the attempts"
      )
    : Either.right(name)
}

const isPlain = (value: object): value is Parameters => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Reads parameters. The error names the first parameter that cannot be sent, and never shows its value. */
export const readParameters = (given: Parameters): Either.Either<Read, InvalidInput> => {
  const secrets: Array<Redacted.Redacted<string>> = []

  const textOf = (path: string, text: string): Either.Either<string, InvalidInput> =>
    isXmlText(text) ? Either.right(text) : fail(`parameter ${path}`, "text without control characters")

  const valueOf = (
    path: string,
    value: unknown,
    depth: number
  ): Either.Either<string | SoapParameters | null, InvalidInput> => {
    if (value === null || value === undefined) return Either.right(null)
    if (typeof value === "boolean") return Either.right(String(value))
    if (typeof value === "number") {
      const text = String(value)
      return /^-?\d+(\.\d+)?$/.test(text)
        ? Either.right(text)
        : fail(`parameter ${path}`, "a finite number that is written without an exponent; or a text")
    }
    if (typeof value === "string") return textOf(path, value)
    if (Redacted.isRedacted(value)) {
      const text: unknown = Redacted.value(value)
      if (typeof text === "string") {
        secrets.push(Redacted.make(text))
        return textOf(path, text)
      }
    } else if (Predicate.isRecord(value) && isPlain(value)) return recordOf(path, value, depth + 1)
    return fail(`parameter ${path}`, "a text, number, boolean, record or array of these")
  }

  const recordOf = (
    path: string,
    record: object,
    depth: number
  ): Either.Either<SoapParameters, InvalidInput> =>
    Either.gen(function* () {
      if (depth > deepest) return yield* fail(`parameter ${path}`, `records at most ${deepest} deep`)
      const read: Array<readonly [string, SoapParameters[string]]> = []
      for (const [name, value] of Object.entries(record) as ReadonlyArray<[string, unknown]>) {
        if (!isElementName(name)) {
          return yield* fail(
            "name of a parameter",
            "letters, digits and underscores, beginning with a letter"
          )
        }
        const inner = path === "" ? name : `${path}.${name}`
        read.push([
          name,
          Array.isArray(value)
            ? yield* Either.all(value.map((each) => valueOf(inner, each, depth)))
            : yield* valueOf(inner, value, depth)
        ])
      }
      return Object.fromEntries(read)
    })

  return Either.gen(function* () {
    if (!Predicate.isRecord(given) || !isPlain(given)) {
      return yield* fail("record of parameters", "a record of parameters by their names")
    }
    if (Object.keys(given).some((name) => name.toLowerCase() === "sesskey")) {
      return yield* fail("record of parameters", "parameters without SessKey, which the client adds")
    }
    return { parameters: yield* recordOf("", given, 0), secrets }
  })
}
