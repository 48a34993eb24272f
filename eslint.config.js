import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const noSkippedTests = {
  selector:
    'MemberExpression[object.name=/^(it|test|describe)$/][property.name=/^(skip|only|todo|skipIf|runIf|fails)$/]',
  message: 'A skipped test is a lost test, and .only loses all the others: fix it or delete it.',
};
const noDefaultExport = {
  selector: 'ExportDefaultDeclaration',
  message: 'Named exports only, so that a thing has one name everywhere.',
};
const noClass = {
  selector: 'ClassDeclaration:not([superClass.name=/Error$/])',
  message: 'A closure will do; classes are for errors.',
};
const time = [
  {
    selector: "MemberExpression[object.name='Date'][property.name='now']",
    message: 'Time is injected: take a Clock (operator/runtime/clock.ts).',
  },
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0]",
    message: 'Time is injected: take a Clock (operator/runtime/clock.ts).',
  },
  {
    selector: "MemberExpression[object.name='performance'][property.name='now']",
    message: 'Time is injected: take a Clock (operator/runtime/clock.ts).',
  },
];
const randomness = {
  selector: "MemberExpression[object.name='Math'][property.name='random']",
  message: 'Randomness is injected: take an Rng (operator/runtime/random.ts).',
};
const environment = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: 'Only operator/main.ts reads the environment: take what you need from Config.',
};

const general = [noSkippedTests, noDefaultExport, noClass];

export default defineConfig(
  { ignores: ['dist/', 'node_modules/', '**/*.d.ts'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: 'error',
      // Labels, headers and environments are read by key, whether or not a key happens to be an identifier.
      '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }],
      'no-restricted-syntax': ['error', ...general],
      // Numbers read well in a template; objects and undefined are the mistakes.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // PostgreSQL counts characters as code points, which is what spreading a string gives.
      '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
      // `for (;;)` and `while (true)` are how a loop with its exit in the middle is written.
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      // Without classes there is no `this` to lose.
      '@typescript-eslint/unbound-method': 'off',
      // An interface is not better than a type; the field uses both.
      '@typescript-eslint/consistent-type-definitions': 'off',
    },
  },
  {
    // Time, randomness and the environment come in from the composition root, which is what makes the rest testable.
    files: ['operator/**/*.ts'],
    ignores: ['operator/main.ts', 'operator/testing/**', 'operator/**/*.{pg,api}.test.ts'],
    rules: { 'no-restricted-syntax': ['error', ...general, ...time, randomness, environment] },
  },
  {
    files: ['operator/runtime/clock.ts'],
    rules: { 'no-restricted-syntax': ['error', ...general, randomness, environment] },
  },
  {
    // Tests destructure and stub: what matters there is that promises are awaited and types are true.
    files: ['**/*.test.ts', 'operator/testing/**', 'test-e2e/**'],
    rules: {
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    // The tools that own these files demand a default export.
    files: ['*.config.ts', 'test-e2e/setup.ts', 'hack/test/{postgres,apiServer,reporter}.ts'],
    rules: { 'no-restricted-syntax': ['error', noSkippedTests, noClass] },
  },
);
