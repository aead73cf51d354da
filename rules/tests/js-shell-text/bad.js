exec(`ls ${dir}`, done);
