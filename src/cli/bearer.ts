import { readFileSync } from 'node:fs'
import type { TokenExchangeBody } from '#contract/rest/token-exchange.ts'
import type { CliConfig } from './config.ts'
import { NO_TOKEN } from './errors.ts'
import { readIdToken } from './id-token.ts'
import { readLogin } from './login-file.ts'
import { isTokenOf } from './own-token.ts'

export type BearerConfig = Pick<CliConfig, 'managerUrl' | 'token' | 'tokenFile'> &
  Partial<Pick<CliConfig, 'idToken' | 'loginFile' | 'isOwnToken'>>

/** The token that speaks for this command. */
export interface Bearer {
  /** Throws NO_TOKEN when there is none to be found. */
  token(): Promise<string>
  /** The token of a CI job ends before a long deployment does: another one, if this is such a token. */
  renewed(refused: string): Promise<string | undefined>
}

/** A token that was set, that of a login, one in a file, or what the manager gives for the ID token of the CI job. */
export function createBearer(
  { managerUrl, token, tokenFile, isOwnToken, loginFile, idToken }: BearerConfig,
  exchange: (body: TokenExchangeBody) => Promise<string>,
): Bearer {
  const login = loginFile === undefined ? undefined : readLogin(loginFile)
  const isOfAnother = isOwnToken && tokenFile !== undefined && !isTokenOf(tokenFile, managerUrl)
  const kept = token ?? login?.token ?? (isOfAnother ? undefined : readToken(tokenFile))
  let given: Promise<string> | undefined

  async function take(source: NonNullable<typeof idToken>): Promise<string> {
    given ??= readIdToken(source).then(text => exchange(bodyFor(text)))
    try {
      return await given
    } catch (error) {
      given = undefined
      throw error
    }
  }

  return {
    async token() {
      if (kept !== undefined) {
        return kept
      }
      if (!idToken) {
        throw NO_TOKEN(managerUrl)
      }
      return await take(idToken)
    },
    async renewed(refused) {
      if (kept !== undefined || !idToken) {
        return undefined
      }
      const seen = given
      // Others may have found out meanwhile.
      if ((await seen) === refused && given === seen) {
        given = undefined
      }
      return await take(idToken)
    },
  }
}

function bodyFor(idToken: string): TokenExchangeBody {
  return {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    subject_token: idToken,
  }
}

function readToken(file: string | undefined): string | undefined {
  try {
    return file === undefined ? undefined : readFileSync(file, 'utf8').trim()
  } catch {
    return undefined
  }
}
