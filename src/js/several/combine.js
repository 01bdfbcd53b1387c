// Several scripts in one run (`kiln run a.js b.js`): makes the exports of one test out of those of all
// files. The program writes a script that calls combine(exports, [[name, path, module], …]).
const SHORTCUTS = ['iterations', 'duration', 'stages', 'scenarios'];
const OWN = ['vus', 'tags', 'thresholds', ...SHORTCUTS];

// What k6 makes of the shortcuts in a file's options: [[name, scenario], …].
function scenariosOf(name, path, options) {
  const given = SHORTCUTS.filter((key) => options[key] !== undefined && options[key] !== null);
  if (given.length > 1 && given.join() !== 'iterations,duration') {
    throw new Error(`${path}: using \`${given[0]}\` and \`${given[given.length - 1]}\` options simultaneously is not allowed`);
  }
  const { vus, iterations, duration, stages, scenarios } = options;
  const scenario = (executor, fields) => [[name, { executor, ...fields }]];
  if (scenarios) return Object.entries(scenarios).map(([key, value]) => [`${name}_${key}`, value]);
  if (iterations) return scenario('shared-iterations', { vus, iterations, maxDuration: duration });
  if (duration) return scenario('constant-vus', { vus, duration });
  if (stages) return scenario('ramping-vus', { startVUs: vus, stages });
  if (vus) return scenario('shared-iterations', { vus, iterations: vus });
  return scenario('per-vu-iterations', {});
}

const listOf = (value) => (Array.isArray(value) ? value : [value]);

function addOptions(all, from, name, path, options) {
  for (const [key, scenario] of scenariosOf(name, path, options)) {
    if (key in all.scenarios) throw new Error(`${path}: there is another scenario ${key}`);
    const exec = `${name}.${scenario.exec === undefined ? 'default' : scenario.exec}`;
    all.scenarios[key] = { ...scenario, exec, tags: { ...options.tags, ...scenario.tags } };
  }
  for (const [metric, value] of Object.entries(options.thresholds || {})) {
    all.thresholds[metric] = [...(all.thresholds[metric] || []), ...listOf(value)];
  }
  for (const [key, value] of Object.entries(options)) {
    if (OWN.includes(key) || value === undefined) continue;
    if (key in from && JSON.stringify(all[key]) !== JSON.stringify(value)) {
      throw new Error(`${from[key]} and ${path} set the option ${key} to different values: one run has one`);
    }
    all[key] = value;
    from[key] = path;
  }
}

function combine(exports, files) {
  const options = { scenarios: {}, thresholds: {} };
  const from = {};
  const having = (key) => files.filter(([, , module]) => typeof module[key] === 'function');

  for (const [name, path, module] of files) {
    addOptions(options, from, name, path, module.options || {});
    for (const [key, value] of Object.entries(module)) {
      if (typeof value !== 'function') continue;
      exports[`${name}.${key}`] = (data) => value(data === undefined ? undefined : data[name]);
    }
  }
  exports.options = options;

  // When flags replace all scenarios (-u 5 -d 10s), iterations go round the files.
  const defaults = having('default');
  if (defaults.length > 0) {
    let turn = __VU;
    exports.default = (data) => {
      const [name, , module] = defaults[turn++ % defaults.length];
      return module.default(data === undefined ? undefined : data[name]);
    };
  }
  if (having('setup').length > 0) {
    exports.setup = async () => {
      const data = {};
      for (const [name, , module] of having('setup')) data[name] = await module.setup();
      return data;
    };
  }
  if (having('teardown').length > 0) {
    exports.teardown = async (data) => {
      const errors = [];
      for (const [name, , module] of having('teardown')) {
        try {
          await module.teardown(data === undefined ? undefined : data[name]);
        } catch (error) {
          errors.push(error);
        }
      }
      if (errors.length > 0) throw errors[0];
    };
  }
  if (having('handleSummary').length > 0) {
    exports.handleSummary = async (data) => {
      const out = {};
      for (const [, , module] of having('handleSummary')) {
        for (const [key, value] of Object.entries((await module.handleSummary(data)) || {})) {
          const isStream = key === 'stdout' || key === 'stderr';
          out[key] = isStream && typeof out[key] === 'string' && typeof value === 'string' ? out[key] + value : value;
        }
      }
      return out;
    };
  }
}
