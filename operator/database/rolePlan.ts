import { quoteIdentifier } from './quoteIdentifier.ts';
import { roleNameProblem } from './roleNames.ts';
import { isVerifierOf, scramVerifier } from './scram.ts';

/** A role as an ApiSchema declares it. */
export interface WantedRole {
  readonly name: string;
  readonly login: boolean;
  /** In clear; it never leaves this process. Absent: a password that is there is left alone. */
  readonly password?: string;
  /** Roles that it is to be a member of; they exist or are wanted too. */
  readonly memberOf: readonly string[];
}

/** What the server and the ledger say about roles, as far as the wanted ones are concerned. */
export interface RoleWorld {
  /** Whom the session logged in as. */
  readonly owner: string;
  readonly roles: ReadonlyMap<
    string,
    { readonly oid: number; readonly canLogin: boolean; readonly memberOf: readonly string[] }
  >;
  /** Rows of `pgrst_ledger.roles`. */
  readonly ledger: ReadonlyMap<
    string,
    { readonly schema: string; readonly oid: number; readonly verifier: string | null }
  >;
}

/** One statement. */
export interface RoleStep {
  /** What it is to do: "create role a". */
  readonly what: string;
  /** May hold a verifier. */
  readonly sql: string;
  /** What an administrator can do where we may not: the end of a sentence. */
  readonly byHand: string;
}

/** What is to be written; all empty where everything is so already. */
export interface RolePlan {
  readonly steps: readonly RoleStep[];
  /** Rows of the ledger, to be written after the steps. */
  readonly rows: readonly { readonly name: string; readonly verifier: string | null }[];
  /** Rows of ours that go, because the roles are not declared any more. */
  readonly forgotten: readonly string[];
}

/** What is to be written, or a sentence why nothing must be. */
export async function planRoles(
  wanted: readonly WantedRole[],
  exposedSchema: string,
  world: RoleWorld,
): Promise<RolePlan | { readonly refusal: string }> {
  const steps: RoleStep[] = [];
  const rows: { name: string; verifier: string | null }[] = [];
  for (const role of wanted) {
    const refusal = nameRefusal(role, world) ?? parentRefusal(role, wanted, world);
    if (refusal !== undefined) return { refusal };
    const there = world.roles.get(role.name);
    const row = world.ledger.get(role.name);
    // A row about a role that was dropped, and perhaps made anew by somebody, says nothing any more.
    const known = row?.oid === there?.oid ? row : undefined;
    const isPasswordKnown =
      role.password === undefined || (await isVerifierOf(known?.verifier ?? '', role.password));
    if (known !== undefined && known.schema !== exposedSchema) {
      if (!isPasswordKnown || there?.canLogin !== role.login)
        return { refusal: disagreement(role.name, known.schema) };
      continue;
    }
    if (known === undefined && there?.canLogin === true && !role.login)
      return { refusal: strangersLogin(role.name) };
    const verifier = isPasswordKnown ? undefined : await scramVerifier(role.password);
    const step = attributeStep(role, there, verifier, world.owner);
    if (step !== undefined) steps.push(step);
    if (known === undefined || verifier !== undefined)
      rows.push({ name: role.name, verifier: verifier ?? known?.verifier ?? null });
  }
  // After all attributes: a parent may be one of the roles that are just being made.
  steps.push(...wanted.flatMap((role) => membershipSteps(role, world)));
  const names = new Set(wanted.map(({ name }) => name));
  const forgotten = [...world.ledger].filter(
    ([name, row]) => row.schema === exposedSchema && !names.has(name),
  );
  return { steps, rows, forgotten: forgotten.map(([name]) => name) };
}

function nameRefusal(role: WantedRole, world: RoleWorld): string | undefined {
  const problem = [role.name, ...role.memberOf].flatMap((name) => {
    const why = roleNameProblem(name);
    return why === undefined ? [] : [`The name ${shown(name)} in spec.roles cannot be used: ${why}.`];
  })[0];
  if (problem !== undefined) return problem;
  if (role.name === world.owner)
    return `Role ${shown(role.name)} in spec.roles is the one that the operator itself logs in as: remove it there, and change it by hand.`;
  if (role.memberOf.includes(world.owner))
    return `Role ${shown(role.name)} is to inherit ${shown(world.owner)}, the owner role: it could read every secret and change the ledger. Grant it what it needs instead.`;
  return undefined;
}

function parentRefusal(
  role: WantedRole,
  wanted: readonly WantedRole[],
  world: RoleWorld,
): string | undefined {
  const missing = role.memberOf.find(
    (parent) => !world.roles.has(parent) && !wanted.some(({ name }) => name === parent),
  );
  return missing === undefined
    ? undefined
    : `Role ${shown(role.name)} is to inherit ${shown(missing)}, which does not exist: declare it in spec.roles too, or let an administrator create it.`;
}

function disagreement(name: string, schema: string): string {
  return `Role ${shown(name)} is declared by the ApiSchema of schema ${schema} as well, with another login or password: the first declaration counts. Make them the same, or remove one.`;
}

// Nobody declares `login: false` on purpose for the authenticator of a running PostgREST; it is the default.
function strangersLogin(name: string): string {
  return `Role ${shown(name)} exists, was not made by the operator, and can log in, while spec.roles says it cannot: set login: true there, or let an administrator run: alter role ${quoteIdentifier(name)} nologin`;
}

function attributeStep(
  role: WantedRole,
  there: { readonly canLogin: boolean } | undefined,
  verifier: string | undefined,
  owner: string,
): RoleStep | undefined {
  const name = quoteIdentifier(role.name);
  const login = role.login ? 'login' : 'nologin';
  // Letters, digits and +/=:$ only.
  const password = verifier === undefined ? '' : ` password '${verifier}'`;
  const clear =
    verifier === undefined ? '' : " password '…'; and remove its passwordSecretRef from the ApiSchema";
  if (there === undefined)
    return {
      what: `create role ${shown(role.name)}`,
      sql: `create role ${name} ${login}${password}`,
      byHand: `create role ${name} ${login}${clear}. Or let it create roles: alter role ${quoteIdentifier(owner)} createrole`,
    };
  if (there.canLogin === role.login && verifier === undefined) return undefined;
  return {
    what: `${there.canLogin === role.login ? 'set the password' : `set ${login.toUpperCase()}`} of role ${shown(role.name)}`,
    sql: `alter role ${name} ${login}${password}`,
    byHand: `alter role ${name} ${login}${clear}. Or let it change the role (CREATEROLE and, since PostgreSQL 16, ADMIN): alter role ${quoteIdentifier(owner)} createrole; grant ${name} to ${quoteIdentifier(owner)} with admin option`,
  };
}

function membershipSteps(role: WantedRole, world: RoleWorld): readonly RoleStep[] {
  const has = world.roles.get(role.name)?.memberOf ?? [];
  return role.memberOf
    .filter((parent) => !has.includes(parent))
    .map((parent) => {
      const sql = `grant ${quoteIdentifier(parent)} to ${quoteIdentifier(role.name)}`;
      return {
        what: `make role ${shown(role.name)} a member of ${shown(parent)}`,
        sql,
        byHand: `${sql}. Or let it grant the role: grant ${quoteIdentifier(parent)} to ${quoteIdentifier(world.owner)} with admin option`,
      };
    });
}

/** A name in a message: as it is, where nobody could misread it. */
function shown(name: string): string {
  return /^[\p{L}\p{N}_-]+$/u.test(name) ? name : JSON.stringify(name);
}
