import { planRoles, type RolePlan, type RoleStep, type RoleWorld, type WantedRole } from './rolePlan.ts';
import { roleNameProblem } from './roleNames.ts';
import type { Session } from './session.ts';
import { errorKind, messageOf, sqlstateOf } from './sqlError.ts';

/** How it went. */
export type RoleResult =
  /** All is as wanted. What was done for it ("create role a"); empty where it was so already. */
  | { readonly kind: 'ensured'; readonly done: readonly string[] }
  /** Nothing was written. The message says what to do, by hand or in the ApiSchema. */
  | { readonly kind: 'refused'; readonly message: string };

/**
 * Makes the roles that are missing, and corrects LOGIN, passwords and missing memberships, all in one transaction. Never
 * drops a role, takes a membership away or gives an attribute other than LOGIN. Call it with the schema claimed; where
 * all is so already it only reads, else it takes the lock first. Throws what a broken connection or contention threw.
 *
 * Of several ApiSchemas of one database that declare a role, the first decides on LOGIN and password: the others must
 * say the same. Roles that nobody declares any more stay in the server, and leave the ledger.
 */
export async function ensureRoles(
  session: Session,
  exposedSchema: string,
  wanted: readonly WantedRole[],
  takeLock: () => Promise<void>,
): Promise<RoleResult> {
  let isLocked = false;
  for (let attempt = 1; ; attempt += 1) {
    const plan = await planRoles(wanted, exposedSchema, await readWorld(session, exposedSchema, wanted));
    if ('refusal' in plan) return { kind: 'refused', message: plan.refusal };
    if (plan.steps.length + plan.rows.length + plan.forgotten.length === 0)
      return { kind: 'ensured', done: [] };
    if (!isLocked) {
      // Whoever had the lock before us may have done it: look again.
      await takeLock();
      isLocked = true;
      continue;
    }
    const failure = await carryOut(session, exposedSchema, plan);
    if (failure === undefined) return { kind: 'ensured', done: plan.steps.map(({ what }) => what) };
    if (!failure.isCollision || attempt === 3) return { kind: 'refused', message: failure.message };
  }
}

async function readWorld(
  session: Session,
  exposedSchema: string,
  wanted: readonly WantedRole[],
): Promise<RoleWorld> {
  const names = wanted
    .flatMap(({ name, memberOf }) => [name, ...memberOf])
    .filter((name) => roleNameProblem(name) === undefined);
  const roles = await session.query<{
    name: string;
    oid: number;
    can_login: boolean;
    member_of: string[];
  }>(
    `select r.rolname as name, r.oid, r.rolcanlogin as can_login,
            array(select p.rolname::text
                    from pg_auth_members m join pg_roles p on p.oid = m.roleid
                   where m.member = r.oid) as member_of
       from pg_roles r where r.rolname = any ($1)`,
    [names],
  );
  const ledger = await session.query<{
    name: string;
    exposed_schema: string;
    role_oid: number;
    verifier: string | null;
  }>(
    `select name, exposed_schema, role_oid, verifier
       from pgrst_ledger.roles where name = any ($1) or exposed_schema = $2`,
    [names, exposedSchema],
  );
  const [me] = await session.query<{ name: string }>('select session_user::text as name');
  return {
    owner: me?.name ?? '',
    roles: new Map(
      roles.map(({ name, oid, can_login: canLogin, member_of: memberOf }) => [
        name,
        { oid, canLogin, memberOf },
      ]),
    ),
    ledger: new Map(
      ledger.map(({ name, exposed_schema: schema, role_oid: oid, verifier }) => [
        name,
        { schema, oid, verifier },
      ]),
    ),
  };
}

interface Failure {
  readonly message: string;
  /** Somebody was at the same roles: looking again may help. */
  readonly isCollision: boolean;
}

async function carryOut(
  session: Session,
  exposedSchema: string,
  plan: RolePlan,
): Promise<Failure | undefined> {
  if (plan.steps.length + plan.rows.length + plan.forgotten.length === 0) return undefined;
  await session.query('begin');
  try {
    for (const step of plan.steps) {
      const failure = await runStep(session, step);
      if (failure === undefined) continue;
      await session.query('rollback');
      return failure;
    }
    await session.query('delete from pgrst_ledger.roles where name = any ($1)', [plan.forgotten]);
    for (const { name, verifier } of plan.rows)
      await session.query(
        `insert into pgrst_ledger.roles (name, exposed_schema, role_oid, verifier)
         select rolname, $2, oid, $3 from pg_roles where rolname = $1
         on conflict (name) do update
           set exposed_schema = excluded.exposed_schema, role_oid = excluded.role_oid, verifier = excluded.verifier`,
        [name, exposedSchema, verifier],
      );
    await session.query('commit');
    return undefined;
  } catch (error) {
    if (errorKind(error) !== 'connection') await session.query('rollback');
    throw error;
  }
}

// Roles belong to the whole server, so operators of other databases may be at the same ones: duplicate_object,
// unique_violation in pg_authid, and "tuple concurrently updated", which has no code of its own.
const collisions = new Set(['42710', '23505', 'XX000']);

async function runStep(session: Session, step: RoleStep): Promise<Failure | undefined> {
  try {
    await session.run(step.sql);
    return undefined;
  } catch (error) {
    if (errorKind(error) !== 'permanent') throw error;
    const code = sqlstateOf(error) ?? '';
    const advice = code === '42501' ? ` Let an administrator run: ${step.byHand}.` : '';
    return {
      message: `PostgreSQL refused to ${step.what} (${code}: ${messageOf(error)}).${advice}`,
      isCollision: collisions.has(code),
    };
  }
}
