import com.helger.phive.api.execute.ValidationExecutionManager;
import com.helger.phive.api.executorset.ValidationExecutorSetRegistry;
import com.helger.phive.api.validity.IValidityDeterminator;
import com.helger.phive.xml.source.IValidationSourceXML;
import com.helger.phive.xml.source.ValidationSourceXML;
import com.helger.phive.xrechnung.XRechnungValidation;
import com.helger.phive.zugferd.ZugferdValidation;
import com.helger.diver.api.coord.DVRCoordinate;
import com.helger.io.resource.FileSystemResource;
import java.io.File;
import java.io.FileInputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.flavours.PDFAFlavour;

/**
 * Asks phive about the XML files of a folder (*.xrechnung.xml, *.zugferd.xml) and veraPDF about its *.pdf. Prints each finding, which is an
 * error, a warning or a judge that looked at nothing, and last "looked at" and the number of files.
 */
public class Rules {
  private static final List<String> findings = new ArrayList<>();

  private static void found(String judge, File f, String what) {
    findings.add(judge + ": " + f.getName() + ": " + what.strip().replaceAll("\\s+", " "));
  }

  public static void main(String[] args) throws Exception {
    Locale.setDefault(Locale.ENGLISH);
    File[] files = new File(args[0]).listFiles((d, n) -> n.endsWith(".xml") || n.endsWith(".pdf"));
    Arrays.sort(files);
    ValidationExecutorSetRegistry<IValidationSourceXML> rules = new ValidationExecutorSetRegistry<>();
    com.helger.phive.en16931.EN16931Validation.initEN16931(rules);
    XRechnungValidation.initXRechnung(rules);
    ZugferdValidation.initZugferd(rules);
    VeraGreenfieldFoundryProvider.initialise();
    for (File f : files) {
      if (f.getName().endsWith(".xrechnung.xml")) {
        phive(rules, XRechnungValidation.VID_XRECHNUNG_UBL_INVOICE_302, f);
      } else if (f.getName().endsWith(".zugferd.xml")) {
        phive(rules, ZugferdValidation.VID_ZUGFERD_2_4_EN16931, f);
      } else {
        veraPDF(f);
      }
    }
    findings.forEach(System.out::println);
    System.out.println("looked at " + files.length);
  }

  /** Every warning counts. */
  private static void phive(ValidationExecutorSetRegistry<IValidationSourceXML> rules, DVRCoordinate id, File f) {
    var set = rules.getOfID(id);
    var results = ValidationExecutionManager.executeValidation(
        IValidityDeterminator.createDefault(), set, ValidationSourceXML.create(new FileSystemResource(f)));
    if (results.size() < 2) {
      found("phive", f, "only " + results.size() + " sets of rules were applied");
    }
    for (var result : results) {
      if (!result.getValidity().isValid() && result.getErrorList().isEmpty()) {
        found("phive", f, "not valid or not looked at, without a reason: " + result);
      }
      for (var error : result.getErrorList()) {
        found("phive", f, error.getErrorLevel().getID() + " " + error.getErrorID() + " " + error.getErrorText(Locale.ENGLISH));
      }
    }
  }

  private static void veraPDF(File f) throws Exception {
    try (var parser = Foundries.defaultInstance().createParser(new FileInputStream(f), PDFAFlavour.PDFA_3_B);
        var validator = Foundries.defaultInstance().createValidator(PDFAFlavour.PDFA_3_B, false)) {
      var result = validator.validate(parser);
      if (result.getTotalAssertions() < 100) {
        found("veraPDF", f, "only " + result.getTotalAssertions() + " assertions were checked");
      }
      if (!result.isCompliant()) {
        result.getTestAssertions().forEach(a -> found("veraPDF", f, a.getRuleId().getClause() + " " + a.getMessage()));
      }
    }
  }
}
