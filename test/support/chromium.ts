/**
 * The Chromium of the tests: the one that `NUMBER_TEST_CHROMIUM` names, else one of the system, else the one
 * that `npm ci` brings in the package @sparticuz/chromium. Only the archives of that package are used, and
 * none of its code: the code writes to fixed names in the shared temporary folder, and runs whatever lies
 * there.
 */
import { randomUUID } from "node:crypto"
import { createReadStream, createWriteStream, existsSync, readdirSync, readFileSync } from "node:fs"
import { chmod, mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { homedir } from "node:os"
import { basename, dirname, join } from "node:path"
import { pipeline } from "node:stream/promises"
import { fileURLToPath } from "node:url"
import { createBrotliDecompress } from "node:zlib"

/** One way to start a Chromium. */
export interface Chromium {
  readonly executable: string
  /** Variables that it needs besides those of the test. */
  readonly env: Readonly<Record<string, string>>
}

/** The facts that the choice depends on. */
export interface Host {
  /** The value of `NUMBER_TEST_CHROMIUM`. */
  readonly named: string | undefined
  /** Where a Chromium of the system may be, best first. */
  readonly system: ReadonlyArray<string>
  /** Such as "linux x64". */
  readonly platform: string
  /** The archives that the package has. */
  readonly archives: string
  /** The folder that they are inflated to. If it exists, it is complete. */
  readonly inflated: string
  /** The system's own configuration of fonts, and where its fonts are. */
  readonly fontsConfig: string
  readonly fonts: ReadonlyArray<string>
}

/** This package is made for one platform only. */
const platformOfPackage = "linux x64"

const advice =
  "What to do: on Debian run `apt-get install chromium`. Elsewhere install a Chromium or a Chrome, and name its executable by NUMBER_TEST_CHROMIUM."

const packageMain = createRequire(import.meta.url).resolve("@sparticuz/chromium")
const packageFolder = dirname(dirname(packageMain))
const { version } = JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8")) as {
  readonly version: string
}

/** The very library that the package unpacks its archives with. */
const tar = createRequire(packageMain)("tar-fs") as {
  readonly extract: (folder: string, options: { readonly chown: boolean }) => NodeJS.WritableStream
}

/** The host that this runs on. */
export const thisHost: Host = {
  named: process.env["NUMBER_TEST_CHROMIUM"],
  system: [
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/usr/bin/google-chrome-stable",
    "/opt/google/chrome/chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium"
  ],
  platform: `${process.platform} ${process.arch}`,
  archives: join(packageFolder, "bin"),
  inflated: fileURLToPath(
    new URL(`../../node_modules/.cache/number-auth-chromium/${version}`, import.meta.url)
  ),
  fontsConfig: "/etc/fonts/fonts.conf",
  fonts: [
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    join(homedir(), ".fonts"),
    join(homedir(), ".local/share/fonts")
  ]
}

/** An older leftover of a run that was killed is deleted. A younger one may belong to a run that goes on. */
const leftoverAfterMillis = 3_600_000

const deleteLeftovers = async (folder: string): Promise<void> => {
  const cache = dirname(folder)
  for (const name of await readdir(cache)) {
    if (!name.endsWith(".partial")) continue
    const leftover = join(cache, name)
    const changed = await stat(leftover).then(
      ({ mtimeMs }) => mtimeMs,
      () => Infinity
    )
    if (changed < Date.now() - leftoverAfterMillis) await rm(leftover, { recursive: true, force: true })
  }
}

/** The package's own configuration looks in the shared temporary folder; this one looks beside itself. */
const fontsConfig = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
</fontconfig>
`

const inflateInto = async (archives: string, folder: string): Promise<void> => {
  const opened = (name: string) =>
    [createReadStream(join(archives, name)), createBrotliDecompress({ chunkSize: 2 ** 20 })] as const
  await mkdir(folder, { recursive: true })
  await pipeline(...opened("chromium.br"), createWriteStream(join(folder, "chromium")))
  await chmod(join(folder, "chromium"), 0o755)
  for (const name of ["al2023.tar.br", "fonts.tar.br"]) {
    await pipeline(...opened(name), tar.extract(folder, { chown: false }))
  }
  await writeFile(join(folder, "fonts.conf"), fontsConfig)
}

/**
 * Inflates the archives, once. It writes to a folder of its own and then renames it, so that a folder of the final name is
 * complete, also when two runs do this at once or when one is interrupted.
 */
export const inflate = async (archives: string, folder: string): Promise<void> => {
  if (existsSync(folder)) return
  await mkdir(dirname(folder), { recursive: true })
  await deleteLeftovers(folder)
  const partial = join(dirname(folder), `${basename(folder)}-${randomUUID()}.partial`)
  try {
    await inflateInto(archives, partial)
    await rename(partial, folder)
  } catch (error) {
    // Another run may have been faster.
    if (!existsSync(folder)) throw error
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}

const hasFont = (folder: string): boolean => {
  try {
    return readdirSync(folder, { recursive: true, encoding: "utf8" }).some((name) =>
      /\.(ttf|ttc|otf|pf[ab])$/i.test(name)
    )
  } catch {
    return false
  }
}

/** The package's fonts, if the host has none. */
const fontsFor = (host: Host): Readonly<Record<string, string>> =>
  existsSync(host.fontsConfig) && host.fonts.some(hasFont)
    ? {}
    : { FONTCONFIG_FILE: join(host.inflated, "fonts.conf") }

/** The package's Chromium: with the libraries that the host has, and with the package's, for a host that lacks some. */
const ofPackage = async (host: Host): Promise<ReadonlyArray<Chromium>> => {
  if (host.platform !== platformOfPackage) {
    throw new Error(`it is made for ${platformOfPackage}, and this is ${host.platform}`)
  }
  await inflate(host.archives, host.inflated)
  const executable = join(host.inflated, "chromium")
  const env = fontsFor(host)
  return [
    { executable, env },
    { executable, env: { ...env, LD_LIBRARY_PATH: join(host.inflated, "lib") } }
  ]
}

/** The message of a failed start, without the command line and the log that playwright-core adds. */
const textOf = (error: unknown): string =>
  String(error)
    .split(/\n\s*Call log:/)[0]!
    .split("\n")
    .filter((line) => line.trim() !== "" && !/Browser logs:|<launch(ing|ed)>/.test(line))
    .slice(0, 8)
    .join("\n  ")

const startNamed = async <A>(named: string, start: (chromium: Chromium) => Promise<A>): Promise<A> => {
  if (!existsSync(named)) {
    throw new Error(`NUMBER_TEST_CHROMIUM names ${named}, and there is no such file.`)
  }
  try {
    return await start({ executable: named, env: {} })
  } catch (error) {
    throw new Error(`NUMBER_TEST_CHROMIUM names ${named}, which could not be started: ${textOf(error)}`, {
      cause: error
    })
  }
}

/**
 * Starts the first Chromium that can be started. If one is named, no other is tried. If none can be started,
 * the error lists every try and the remedy.
 */
export const startChromium = async <A>(
  start: (chromium: Chromium) => Promise<A>,
  host: Host = thisHost
): Promise<A> => {
  const { named } = host
  if (named !== undefined && named.trim() !== "") return startNamed(named, start)
  const complaints: Array<string> = []
  const tryTo = async (name: string, chromium: Chromium): Promise<{ readonly started: A } | undefined> => {
    try {
      return { started: await start(chromium) }
    } catch (error) {
      complaints.push(`- ${name} could not be started: ${textOf(error)}`)
      return undefined
    }
  }
  for (const executable of host.system.filter((path) => existsSync(path))) {
    const done = await tryTo(executable, { executable, env: {} })
    if (done !== undefined) return done.started
  }
  if (complaints.length === 0) complaints.push("- No Chromium is installed where a system has it.")
  const shipped = "The Chromium of the package @sparticuz/chromium"
  const ways = await ofPackage(host).catch((error: unknown) => {
    complaints.push(`- ${shipped} cannot be had: ${textOf(error)}`)
    return []
  })
  for (const chromium of ways) {
    const libraries = "LD_LIBRARY_PATH" in chromium.env ? "the package's libraries" : "the host's libraries"
    const done = await tryTo(`${shipped}, with ${libraries},`, chromium)
    if (done !== undefined) return done.started
  }
  throw new Error(
    `There is no Chromium for the tests of the live page. Tried:\n${complaints.join("\n")}\n${advice}`
  )
}
