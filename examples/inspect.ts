import { NodeContext, NodeHttpClient, NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer } from "effect"
import { AuthNotifier, CredentialProvider, NumberAuth, NumberTransport } from "effect-number-auth"
import { InspectServer, Recorder } from "effect-number-auth/inspect"
import * as Store from "effect-number-auth/store"
import { createServer } from "node:http"

// Without this layer nothing is recorded, and there is no cost.
const InspectorLive = InspectServer.layer().pipe(
  Layer.provide(NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 4300 })),
  Layer.provideMerge(Recorder.layer())
)

const NumberLive = NumberAuth.layerConfig().pipe(
  Layer.provide(NumberTransport.layerRestConfig()),
  Layer.provide(CredentialProvider.layerConfig()),
  Layer.provide(AuthNotifier.layerLog),
  Layer.provide(Store.layerConfig()), // NUMBER_STORE_URL
  Layer.provide([NodeHttpClient.layer, NodeContext.layer]),
  Layer.provide(InspectorLive)
)

const program = Effect.gen(function* () {
  const auth = yield* NumberAuth.NumberAuth
  yield* auth.sessionKey
  yield* Console.log("See http://127.0.0.1:4300")
  yield* Effect.never
})

NodeRuntime.runMain(program.pipe(Effect.provide(NumberLive)))
