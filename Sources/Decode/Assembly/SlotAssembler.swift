// One assembler a chain: slots, forks, completeness.
