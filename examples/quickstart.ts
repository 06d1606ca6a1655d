import { NodeContext, NodeHttpClient, NodeRuntime } from "@effect/platform-node"
import { HttpClientRequest } from "@effect/platform"
import { Console, Effect, Layer } from "effect"
import { AuthNotifier, CredentialProvider, NumberAuth, NumberTransport } from "effect-number-auth"
import * as Store from "effect-number-auth/store"

const NumberLive = NumberAuth.layerConfig().pipe(
  Layer.provide(NumberTransport.layerRestConfig()), // NUMBER_BASE_URL
  Layer.provide(CredentialProvider.layerConfig()), // NUMBER_TOKEN
  Layer.provide(AuthNotifier.layerLog),
  Layer.provide(Store.layerConfig()), // NUMBER_STORE_URL
  Layer.provide([NodeHttpClient.layer, NodeContext.layer])
)

const program = Effect.gen(function* () {
  const auth = yield* NumberAuth.NumberAuth // the account: NUMBER_ACCOUNT_CODE
  const query = HttpClientRequest.post("/Query/AccountProfile")
  const response = yield* auth.httpClient.execute(query) // header SessKey; 5030 and 5050 renewed, replayed once
  yield* Console.log(yield* response.json)
})

NodeRuntime.runMain(program.pipe(Effect.provide(NumberLive)))
