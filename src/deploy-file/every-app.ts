import { type Static, Type } from 'typebox'
import { EngineWish } from '#contract/engine.ts'

const strict = { additionalProperties: false } as const

const Limit = (what: string) =>
  Type.Optional(
    Type.String({
      pattern: '^[1-9][0-9]{0,7}(ms|s|m|h)$',
      description: `${what} For example 90s, 20m or 2h; a day at most.`,
    }),
  )

const LATER_STEPS = {
  plan: Limit('The step plan.'),
  build: Limit('The step build: all images, with the fetching of their base images.'),
  push: Limit('The step push.'),
  apply: Limit('The step apply, with the waiting until everything is healthy.'),
  verify: Limit('The step verify.'),
  route: Limit('The step route.'),
  watch: Limit('The step watch.'),
  prune: Limit('The step prune: stopping what was replaced.'),
  deployment: Limit('The whole deployment.'),
}

const Drift = Type.Optional(
  Type.Union([Type.Literal('report'), Type.Literal('repair')], {
    description:
      'What is done when somebody changed by hand what runs: report it (the default), or bring the release back.',
  }),
)

const Watch = Type.Array(
  Type.String({
    minLength: 1,
    maxLength: 300,
    pattern: '^(?!/)(?!(?:.*/)?\\.\\.(?:/|$))[^\\u0000-\\u001f]+$',
  }),
  {
    minItems: 1,
    maxItems: 100,
    description:
      'Folders, files or patterns (`*`, `?`, `**`) from the root of the repository: a push deploys the app only when one of them changed since what is deployed. The deploy file and the files that it names are always watched. Default: everything.',
  },
)

/** One file of the repository: no pattern, no way out of it. */
const FilePath = Type.String({
  minLength: 1,
  maxLength: 300,
  pattern: '^(?!/)(?!(?:.*/)?\\.{1,2}(?:/|$))[^\\u0000-\\u001f*?\\\\]+$',
})

const SecretFiles = Type.Array(
  Type.Union([
    FilePath,
    Type.Object({ file: FilePath, name: Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]{0,127}$' }) }, strict),
  ]),
  {
    minItems: 1,
    maxItems: 16,
    description:
      'Files of the repository that are encrypted with age for its key ("fairlead secrets recipient"): a path for one with `NAME=value` lines, `{ file, name }` for one that is a single value. What they hold may be used as `$NAME`, as what "fairlead secrets set" has set (docs/secrets.md). Default: none.',
  },
)

/** What every app may say, whatever its target. */
export const EveryAppSettings = Type.Object(
  {
    deadlines: Type.Optional(
      Type.Object(LATER_STEPS, {
        ...strict,
        description: 'After how long a step, or the whole deployment, is ended as failed.',
      }),
    ),
    watch: Type.Optional(Watch),
    approval: Type.Optional(
      Type.Enum(['required'], {
        description:
          'Deployments wait until a person has approved their plan. What the app is set to with "fairlead apps set" holds whatever is written here.',
      }),
    ),
    drift: Drift,
    engine: Type.Optional(EngineWish),
    schedule: Type.Optional(
      Type.Object(
        {
          cron: Type.String({
            maxLength: 100,
            pattern: '^\\S+( +\\S+){4}$',
            description:
              'Minute, hour, day of the month, month, day of the week: `0 4 * * 1` is Monday at 4.',
          }),
          time_zone: Type.Optional(
            Type.String({
              pattern: '^[A-Za-z][A-Za-z0-9_+/-]{0,63}$',
              description: 'Whose clock, such as Europe/Helsinki. Default: UTC.',
            }),
          ),
        },
        {
          ...strict,
          description:
            'When the tip of the branch is deployed without anybody asking (docs/schedules.md). Default: never.',
        },
      ),
    ),
    secret_files: Type.Optional(SecretFiles),
    url_file: Type.Optional(
      Type.String({
        maxLength: 300,
        pattern: '^(?:(?!\\.)[^/\\\\:~\\u0000-\\u001f]*[^/\\\\:~\\u0000-\\u001f .]/)*URL\\.md$',
        description:
          'A file called URL.md, such as `URL.md` or `docs/URL.md`: after a deployment Fairlead writes the address of the app into it and pushes that to the branch (docs/write-back.md). The credential of the repository has to allow it. Default: nothing is pushed.',
      }),
    ),
  },
  strict,
)
export type EveryAppSettings = Static<typeof EveryAppSettings>

/** The same as overrides of one app: these are known before its deploy file is fetched and read. */
export const EveryAppOverrides = Type.Object(
  {
    deadlines: Type.Optional(
      Type.Object(
        { checkout: Limit('The step checkout.'), read: Limit('The step read.'), ...LATER_STEPS },
        strict,
      ),
    ),
    drift: Drift,
    engine: Type.Optional(EngineWish),
    watch: Type.Optional(Watch),
  },
  strict,
)
