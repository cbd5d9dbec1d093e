BEGIN TRANSACTION;
CREATE TABLE programs (
                id TEXT PRIMARY KEY,
                code TEXT NOT NULL,
                language TEXT NOT NULL,
                parent_id TEXT,
                archive_inspiration_ids TEXT,  -- JSON serialized List[str]
                top_k_inspiration_ids TEXT,    -- JSON serialized List[str]
                generation INTEGER NOT NULL,
                timestamp REAL NOT NULL,
                code_diff TEXT,     -- Stores edit difference
                combined_score REAL,
                public_metrics TEXT, -- JSON serialized Dict[str, Any]
                private_metrics TEXT, -- JSON serialized Dict[str, Any]
                text_feedback TEXT, -- Text feedback for the program
                complexity REAL,   -- Calculated complexity metric
                embedding TEXT,    -- JSON serialized List[float]
                embedding_pca_2d TEXT, -- JSON serialized List[float]
                embedding_pca_3d TEXT, -- JSON serialized List[float]
                embedding_cluster_id INTEGER,
                correct BOOLEAN DEFAULT 0,  -- Correct (0=False, 1=True)
                children_count INTEGER NOT NULL DEFAULT 0,
                metadata TEXT,      -- JSON serialized Dict[str, Any]
                migration_history TEXT, -- JSON of migration events
                island_idx INTEGER,  -- Add island_idx to the schema
                system_prompt_id TEXT  -- ID of system prompt that generated this program
            );
INSERT INTO "programs" VALUES('p0','def f(x=1):
    return 0.25
','python',NULL,'[]','[]',0,1.79531167359762048717e+09,NULL,0.25,'{"a": 0.0625}','{}','',0.076,'[]','[]','[]',NULL,1,4,'{"code_analysis_metrics": {"cyclomatic_complexity": 1, "average_cyclomatic_complexity": 1.0, "halstead_volume": 0, "halstead_difficulty": 0, "halstead_effort": 0, "lines_of_code": 2, "logical_lines_of_code": 2, "comments": 0, "maintainability_index": 154.57000000000002, "max_nesting_depth": 1, "complexity_score": 0.076}, "postprocess_db_maintenance_applied": true, "postprocess_db_maintenance_started_at": 1795311673.6013486, "postprocess_db_maintenance_finished_at": 1795311673.6017704, "postprocess_db_maintenance_seconds": 0.00042176246643066406}','[]',0,NULL);
INSERT INTO "programs" VALUES('a812cf75-1e2b-41ef-a4a7-b47944518ff4','def f(x=1):
    return 0.25
','python',NULL,'[]','[]',0,1.79531167359762048717e+09,NULL,0.25,'{"a": 0.0625}','{}','',0.076,'[]','[]','[]',NULL,1,0,'{"code_analysis_metrics": {"cyclomatic_complexity": 1, "average_cyclomatic_complexity": 1.0, "halstead_volume": 0, "halstead_difficulty": 0, "halstead_effort": 0, "lines_of_code": 2, "logical_lines_of_code": 2, "comments": 0, "maintainability_index": 154.57000000000002, "max_nesting_depth": 1, "complexity_score": 0.076}, "_is_island_copy": true, "_original_program_id": "p0"}','[]',1,NULL);
INSERT INTO "programs" VALUES('p1','def f(x=1):
    return 0.9560342718892494
','python','p0','[]','[]',1,1.79531167362879443168e+09,NULL,0.0,'{}','{}','too much',0.076,'[]','[]','[]',NULL,0,0,'{"code_analysis_metrics": {"cyclomatic_complexity": 1, "average_cyclomatic_complexity": 1.0, "halstead_volume": 0, "halstead_difficulty": 0, "halstead_effort": 0, "lines_of_code": 2, "logical_lines_of_code": 2, "comments": 0, "maintainability_index": 154.57000000000002, "max_nesting_depth": 1, "complexity_score": 0.076}, "postprocess_db_maintenance_applied": true, "postprocess_db_maintenance_started_at": 1795311673.6351006, "postprocess_db_maintenance_finished_at": 1795311673.6351178, "postprocess_db_maintenance_seconds": 1.71661376953125e-05}','[]',0,NULL);
INSERT INTO "programs" VALUES('p2','def f(x=1):
    return 0.9478274870593494
','python','p0','[]','[]',2,1.79531167365864324572e+09,NULL,0.0,'{}','{}','too much',0.076,'[]','[]','[]',NULL,0,0,'{"code_analysis_metrics": {"cyclomatic_complexity": 1, "average_cyclomatic_complexity": 1.0, "halstead_volume": 0, "halstead_difficulty": 0, "halstead_effort": 0, "lines_of_code": 2, "logical_lines_of_code": 2, "comments": 0, "maintainability_index": 154.57000000000002, "max_nesting_depth": 1, "complexity_score": 0.076}, "postprocess_db_maintenance_applied": true, "postprocess_db_maintenance_started_at": 1795311673.65952, "postprocess_db_maintenance_finished_at": 1795311673.6595364, "postprocess_db_maintenance_seconds": 1.6450881958007812e-05}','[]',0,NULL);
INSERT INTO "programs" VALUES('p3','def f(x=1):
    return 0.05655136772680869
','python','p0','[]','[]',3,1.79531167366510176651e+09,NULL,5.65513677268086878413e-02,'{"a": 0.0031980571917727394}','{}','',0.076,'[]','[]','[]',NULL,1,0,'{"code_analysis_metrics": {"cyclomatic_complexity": 1, "average_cyclomatic_complexity": 1.0, "halstead_volume": 0, "halstead_difficulty": 0, "halstead_effort": 0, "lines_of_code": 2, "logical_lines_of_code": 2, "comments": 0, "maintainability_index": 154.57000000000002, "max_nesting_depth": 1, "complexity_score": 0.076}, "postprocess_db_maintenance_applied": true, "postprocess_db_maintenance_started_at": 1795311673.6658509, "postprocess_db_maintenance_finished_at": 1795311673.6661038, "postprocess_db_maintenance_seconds": 0.0002529621124267578}','[]',0,NULL);
INSERT INTO "programs" VALUES('p4','def f(x=1):
    return 0.08487199515892163
','python','p0','[]','[]',4,1.79531167366968536381e+09,NULL,8.48719951589216314857e-02,'{"a": 0.0072032555622560165}','{}','',0.076,'[]','[]','[]',NULL,1,1,'{"code_analysis_metrics": {"cyclomatic_complexity": 1, "average_cyclomatic_complexity": 1.0, "halstead_volume": 0, "halstead_difficulty": 0, "halstead_effort": 0, "lines_of_code": 2, "logical_lines_of_code": 2, "comments": 0, "maintainability_index": 154.57000000000002, "max_nesting_depth": 1, "complexity_score": 0.076}, "postprocess_db_maintenance_applied": true, "postprocess_db_maintenance_started_at": 1795311673.673731, "postprocess_db_maintenance_finished_at": 1795311673.6738853, "postprocess_db_maintenance_seconds": 0.00015425682067871094}','[]',0,NULL);
INSERT INTO "programs" VALUES('p5','def f(x=1):
    return 0.8354988781294496
','python','p4','[]','[]',5,1.79531167368729114531e+09,NULL,8.35498878129449562557e-01,'{"a": 0.6980583753555688}','{}','',0.076,'[]','[]','[]',NULL,1,1,'{"code_analysis_metrics": {"cyclomatic_complexity": 1, "average_cyclomatic_complexity": 1.0, "halstead_volume": 0, "halstead_difficulty": 0, "halstead_effort": 0, "lines_of_code": 2, "logical_lines_of_code": 2, "comments": 0, "maintainability_index": 154.57000000000002, "max_nesting_depth": 1, "complexity_score": 0.076}, "postprocess_db_maintenance_applied": true, "postprocess_db_maintenance_started_at": 1795311673.6881301, "postprocess_db_maintenance_finished_at": 1795311673.6883395, "postprocess_db_maintenance_seconds": 0.00020933151245117188}','[]',0,NULL);
INSERT INTO "programs" VALUES('p6','def f(x=1):
    return 0.7359699890685233
','python','p5','[]','[]',6,1.7953116736969442367e+09,NULL,7.35969989068523289255e-01,'{"a": 0.5416518248095223}','{}','',0.076,'[]','[]','[]',NULL,1,1,'{"code_analysis_metrics": {"cyclomatic_complexity": 1, "average_cyclomatic_complexity": 1.0, "halstead_volume": 0, "halstead_difficulty": 0, "halstead_effort": 0, "lines_of_code": 2, "logical_lines_of_code": 2, "comments": 0, "maintainability_index": 154.57000000000002, "max_nesting_depth": 1, "complexity_score": 0.076}, "postprocess_db_maintenance_applied": true, "postprocess_db_maintenance_started_at": 1795311673.6977413, "postprocess_db_maintenance_finished_at": 1795311673.6978893, "postprocess_db_maintenance_seconds": 0.0001480579376220703}','[]',0,NULL);
INSERT INTO "programs" VALUES('p7','def f(x=1):
    return 0.6697304014402209
','python','p6','[]','[]',7,1.79531167370933461189e+09,NULL,6.69730401440220890485e-01,'{"a": 0.44853881061327944}','{}','',0.076,'[]','[]','[]',NULL,1,0,'{"code_analysis_metrics": {"cyclomatic_complexity": 1, "average_cyclomatic_complexity": 1.0, "halstead_volume": 0, "halstead_difficulty": 0, "halstead_effort": 0, "lines_of_code": 2, "logical_lines_of_code": 2, "comments": 0, "maintainability_index": 154.57000000000002, "max_nesting_depth": 1, "complexity_score": 0.076}, "postprocess_db_maintenance_applied": true, "postprocess_db_maintenance_started_at": 1795311673.7122335, "postprocess_db_maintenance_finished_at": 1795311673.7123976, "postprocess_db_maintenance_seconds": 0.000164031982421875}','[]',0,NULL);
CREATE INDEX idx_programs_generation ON programs(generation);
CREATE INDEX idx_programs_timestamp ON programs(timestamp);
CREATE INDEX idx_programs_complexity ON programs(complexity);
CREATE INDEX idx_programs_parent_id ON programs(parent_id);
CREATE INDEX idx_programs_children_count ON programs(children_count);
CREATE INDEX idx_programs_island_idx ON programs(island_idx);
CREATE INDEX idx_programs_system_prompt_id ON programs(system_prompt_id);
COMMIT;
