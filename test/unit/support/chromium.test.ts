/**
 * The Chromium that the tests of the live page use, and the errors if there is none. All folders are made up.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { brotliCompressSync } from "node:zlib"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { type Chromium, type Host, inflate, startChromium } from "../../support/chromium.js"

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "number-auth-chromium-"))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const put = (name: string, content: string | Buffer = ""): string => {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  return path
}

/** A tar archive of one file. The format: https://www.gnu.org/software/tar/manual/html_node/Standard.html */
const tarOf = (name: string, content: string): Buffer => {
  const header = Buffer.alloc(512)
  header.write(name, 0)
  header.write("0000644\0", 100)
  header.write("0000000\0", 108)
  header.write("0000000\0", 116)
  header.write(content.length.toString(8).padStart(11, "0"), 124)
  header.write("00000000000 ", 136)
  header.write("        0", 148)
  header.write("ustar\0", 257)
  header.write("00", 263)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148)
  const body = Buffer.alloc(512)
  body.write(content)
  return Buffer.concat([header, body, Buffer.alloc(1024)])
}

const putArchives = (): string => {
  put("bin/chromium.br", brotliCompressSync("the executable"))
  put("bin/fonts.tar.br", brotliCompressSync(tarOf("fonts/a.ttf", "a font")))
  return dirname(put("bin/al2023.tar.br", brotliCompressSync(tarOf("lib/libnss3.so", "a library"))))
}

/** A host that has fonts, archives of the package, and no Chromium. */
const hostWith = (given: Partial<Host> = {}): Host => ({
  named: undefined,
  system: [join(folder, "first"), join(folder, "second")],
  platform: "linux x64",
  archives: putArchives(),
  inflated: join(folder, "cache", "1.0.0"),
  fontsConfig: put("etc/fonts.conf"),
  fonts: [dirname(dirname(put("usr/fonts/dejavu/DejaVuSans.ttf")))],
  ...given
})

/** The candidates that are tried, in order, if only those that satisfy `runs` can be started. */
const tried = async (
  host: Host,
  runs: (chromium: Chromium) => boolean
): Promise<{ readonly all: ReadonlyArray<Chromium>; readonly error: string }> => {
  const all: Array<Chromium> = []
  const start = async (chromium: Chromium) => {
    all.push(chromium)
    if (!runs(chromium)) throw new Error(`${chromium.executable} is broken`)
  }
  const error = await startChromium(start, host).then(
    () => "",
    (thrown: Error) => thrown.message
  )
  return { all, error }
}

const always = () => true
const never = () => false

describe("the Chromium of the tests", () => {
  it("is the named one, before all others", async () => {
    put("first")
    const named = put("named")
    const { all, error } = await tried(hostWith({ named }), always)
    assert.deepStrictEqual(all, [{ executable: named, env: {} }])
    assert.strictEqual(error, "")
  })

  it("is not replaced by another if the named one does not exist", async () => {
    put("first")
    const named = join(folder, "nowhere")
    const { all, error } = await tried(hostWith({ named }), always)
    assert.deepStrictEqual(all, [])
    assert.strictEqual(error, `NUMBER_TEST_CHROMIUM names ${named}, and there is no such file.`)
  })

  it("is not replaced by another if the named one cannot be started", async () => {
    put("first")
    const named = put("named")
    const { all, error } = await tried(hostWith({ named }), never)
    assert.deepStrictEqual(all, [{ executable: named, env: {} }])
    assert.strictEqual(
      error,
      `NUMBER_TEST_CHROMIUM names ${named}, which could not be started: Error: ${named} is broken`
    )
  })

  it("is one of the system if no name is given, and nothing is inflated", async () => {
    const second = put("second")
    const host = hostWith({ named: " " })
    const { all } = await tried(host, always)
    assert.deepStrictEqual(all, [{ executable: second, env: {} }])
    assert.isFalse(existsSync(host.inflated))
  })

  it("is the next of the system if one cannot be started, and then that of the package", async () => {
    const system = [put("first"), put("second")]
    const host = hostWith()
    const executable = join(host.inflated, "chromium")
    const { all, error } = await tried(host, (chromium) => !system.includes(chromium.executable))
    assert.deepStrictEqual(all, [
      { executable: system[0]!, env: {} },
      { executable: system[1]!, env: {} },
      { executable, env: {} }
    ])
    assert.strictEqual(error, "")
    assert.strictEqual(readFileSync(executable, "utf8"), "the executable")
  })

  it("has the package's libraries if it cannot be started with the host's", async () => {
    const host = hostWith()
    const { all, error } = await tried(host, ({ env }) => "LD_LIBRARY_PATH" in env)
    const executable = join(host.inflated, "chromium")
    const lib = join(host.inflated, "lib")
    assert.deepStrictEqual(all, [
      { executable, env: {} },
      { executable, env: { LD_LIBRARY_PATH: lib } }
    ])
    assert.strictEqual(error, "")
    assert.strictEqual(readFileSync(join(lib, "libnss3.so"), "utf8"), "a library")
  })

  it("has the package's fonts if the host has no fonts", async () => {
    const none = { fonts: [join(folder, "nowhere"), dirname(put("empty/readme.txt"))] }
    for (const given of [none, { fontsConfig: join(folder, "nowhere") }]) {
      const host = hostWith(given)
      const { all } = await tried(host, always)
      const config = join(host.inflated, "fonts.conf")
      assert.deepStrictEqual(all[0]?.env, { FONTCONFIG_FILE: config })
      assert.include(readFileSync(config, "utf8"), `<dir prefix="relative">fonts</dir>`)
      assert.strictEqual(readFileSync(join(host.inflated, "fonts/a.ttf"), "utf8"), "a font")
    }
  })

  it("is missing if no candidate can be started: the error lists the candidates and a remedy", async () => {
    const first = put("first")
    const { error } = await tried(hostWith(), never)
    assert.match(error, /^There is no Chromium for the tests of the live page\. Tried:/)
    assert.include(error, `- ${first} could not be started: Error: ${first} is broken`)
    assert.match(error, /@sparticuz\/chromium, with the host's libraries, could not be started: Error: /)
    assert.match(error, /@sparticuz\/chromium, with the package's libraries, could not be started: Error: /)
    assert.match(error, /on Debian run `apt-get install chromium`\. Elsewhere .* NUMBER_TEST_CHROMIUM\.$/)
  })

  it("is not the package's on another platform", async () => {
    const host = hostWith({ platform: "linux arm64" })
    const { all, error } = await tried(host, always)
    assert.deepStrictEqual(all, [])
    assert.include(error, "- No Chromium is installed where a system has it.")
    assert.include(error, "cannot be had: Error: it is made for linux x64, and this is linux arm64")
    assert.include(error, "What to do: on Debian run `apt-get install chromium`.")
    assert.isFalse(existsSync(host.inflated))
  })

  it("is missing if the archives cannot be read: the error gives the reason", async () => {
    const { error } = await tried(hostWith({ archives: join(folder, "nowhere") }), always)
    assert.match(error, /@sparticuz\/chromium cannot be had: Error: ENOENT/)
    assert.include(error, "What to do: ")
  })
})

describe("inflating the Chromium of the package", () => {
  it("is done once", async () => {
    const { archives, inflated } = hostWith()
    await inflate(archives, inflated)
    const executable = join(inflated, "chromium")
    writeFileSync(executable, "the first")
    await inflate(archives, inflated)
    assert.strictEqual(readFileSync(executable, "utf8"), "the first")
  })

  it("does no harm when several runs do it at once", async () => {
    const { archives, inflated } = hostWith()
    await Promise.all([inflate(archives, inflated), inflate(archives, inflated), inflate(archives, inflated)])
    assert.deepStrictEqual(readdirSync(dirname(inflated)), ["1.0.0"])
    assert.sameMembers(readdirSync(inflated), ["chromium", "fonts", "fonts.conf", "lib"])
  })

  it("leaves nothing behind when it fails, and succeeds when it is tried again", async () => {
    const { archives, inflated } = hostWith()
    const broken = put("bin/fonts.tar.br", "no archive")
    const failed = await inflate(archives, inflated).then(
      () => false,
      () => true
    )
    assert.isTrue(failed)
    assert.deepStrictEqual(readdirSync(dirname(inflated)), [])
    writeFileSync(broken, brotliCompressSync(tarOf("fonts/a.ttf", "a font")))
    await inflate(archives, inflated)
    assert.isTrue(existsSync(join(inflated, "fonts/a.ttf")))
  })

  it("deletes the leftovers of a run that was killed long ago, and keeps those of a recent run", async () => {
    const { archives, inflated } = hostWith()
    for (const name of ["0.9.0", "1.0.0-old.partial", "1.0.0-young.partial"]) {
      mkdirSync(join(dirname(inflated), name), { recursive: true })
    }
    const twoHoursAgo = Date.now() / 1000 - 7200
    utimesSync(join(dirname(inflated), "1.0.0-old.partial"), twoHoursAgo, twoHoursAgo)
    await inflate(archives, inflated)
    assert.sameMembers(readdirSync(dirname(inflated)), ["0.9.0", "1.0.0", "1.0.0-young.partial"])
  })
})
